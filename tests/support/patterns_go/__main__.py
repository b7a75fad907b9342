"""Runs a campaign: `python -m tests.support.patterns_go --patterns 10000 --seed 1`."""

import sys

from tests.support.patterns_go.campaign import main

if __name__ == "__main__":
    sys.exit(main())
