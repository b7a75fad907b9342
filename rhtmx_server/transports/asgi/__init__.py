"""The ASGI door: the server inside of a Starlette, FastAPI or other ASGI application.

Knows ASGI 3. It translates; what a message means is decided where it is for the own port.
"""

from __future__ import annotations

from rhtmx_server.transports.asgi.application import AsgiApp
from rhtmx_server.transports.asgi.door import AsgiDoor

__all__ = ["AsgiApp", "AsgiDoor"]
