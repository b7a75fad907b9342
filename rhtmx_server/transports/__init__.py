"""The doors: sockets, plain HTTP, and the endpoints of old clients."""
