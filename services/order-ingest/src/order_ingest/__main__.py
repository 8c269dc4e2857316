"""`python -m order_ingest`"""

import sys

from order_ingest.app import run

sys.exit(run())
