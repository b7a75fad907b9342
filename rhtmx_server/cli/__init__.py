"""The command line: from arguments and environment to a running server.

Knows how a person starts and stops a server. Must not know what it does while
it runs, nor the class of the app: that comes from `__main__`.
"""

from rhtmx_server.cli.main import main
from rhtmx_server.cli.process import Servable, run

__all__ = ["Servable", "main", "run"]
