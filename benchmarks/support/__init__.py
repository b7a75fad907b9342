"""What all benchmarks need: servers, sockets, figures, tables."""
