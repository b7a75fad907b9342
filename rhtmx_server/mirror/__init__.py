"""Rows of an application's own tables as records: the tables are the truth."""
