"""Patterns against Go's own; see `campaign`."""
