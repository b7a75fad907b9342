"""The version of rhtmx: of the Python package, and of the npm package beside it.

It is written here and nowhere else in Python: the build reads this file, and a test compares
the npm package with it. Knows nothing.
"""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
"""By Semantic Versioning. It is also that of the npm package, and a heading of CHANGELOG.md."""
