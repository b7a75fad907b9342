"""asyncio under a client: its connection, its store, and who waits for what."""
