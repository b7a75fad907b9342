"""Turns the schema into code: descriptor set in, Python, TypeScript and docs out."""
