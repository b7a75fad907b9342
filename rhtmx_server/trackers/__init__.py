"""Trackers: what becomes of a push and of a field push. Pure where they decide."""
