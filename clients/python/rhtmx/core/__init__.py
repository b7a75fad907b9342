"""What decides: messages and times go in, messages and events come out. No socket, clock, loop."""
