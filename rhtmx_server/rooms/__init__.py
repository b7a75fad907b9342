"""Rooms: who is at a record now, and what they tell one another. Nothing of it is stored."""
