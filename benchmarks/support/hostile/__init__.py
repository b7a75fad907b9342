"""The hostile side: what a peer may do to a server, one pattern a function.

Raw sockets and bytes made beforehand, in a process of its own: the hostile side is
not to be what is slow. All of it is aimed at a server on this machine that the
benchmark itself has started, and ends with it.
"""
