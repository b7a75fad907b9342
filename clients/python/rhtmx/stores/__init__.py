"""Where a client keeps what it holds: in memory, or in an SQLite file."""
