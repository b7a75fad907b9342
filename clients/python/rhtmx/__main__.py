"""`python -m rhtmx`: the terminal tool."""

from __future__ import annotations

import sys

from rhtmx.cli import main

if __name__ == "__main__":
    sys.exit(main())
