"""The client for backends: the same trackers, through gRPC."""
