"""The gRPC door: the service of the schema, for backends, on a port of its own.

Knows HTTP/2 through grpclib, and the server through `Services`. It translates;
what a message means is decided where it is for sockets.
"""

from __future__ import annotations

from rhtmx_server.transports.grpc.server import GrpcServer

__all__ = ["GrpcServer"]
