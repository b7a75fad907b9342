"""Writing: from mutations that wait to one transaction."""
