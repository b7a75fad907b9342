"""The site: the pages of this repository, and a reference made from the docstrings."""
