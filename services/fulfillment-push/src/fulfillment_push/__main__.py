"""`python -m fulfillment_push`."""

import sys

from fulfillment_push.app import main

if __name__ == "__main__":
    sys.exit(main())
