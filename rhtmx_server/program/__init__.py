"""What the program of the server reads and writes itself, with or without an event loop."""
