"""Makes a release: builds the packages, checks them, and writes what is new.

Used from a checkout only, by `nox -s release`; not part of what is shipped. Uploads nothing.
"""
