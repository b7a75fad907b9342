"""`python -m rhtmx_server`, and the script `rhtmx-server`.

Knows the class of apps, which the command line does not.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rhtmx_server import cli
from rhtmx_server.app import App

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: the arguments without the command's name; by default the process's own.

    Returns:
        The exit code: 0 stopped on request, 1 failed, 2 wrong options.
    """
    return cli.main(argv, App)


if __name__ == "__main__":
    sys.exit(main())
