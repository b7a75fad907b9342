"""The terminal tool `rhtmx`: read, write and ask from a shell.

Knows how a person and a script use the Python client. Must not know the
protocol: it uses the client's public face, as any other program.
"""

from rhtmx.cli.main import main

__all__ = ["main"]
