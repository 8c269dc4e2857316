"""`python -m shipment_poller`."""

import sys

from shipment_poller.app import main

sys.exit(main())
