"""What is said of a store that is half of a copy.

Knows the words. Must not know how a copy is made.
"""

from __future__ import annotations

__all__ = ["HALF_COPIED"]

HALF_COPIED = (
    "this store is half of a copy, and no server may use it: run `rhtmx-server copy` again until "
    "it says that it is done, or give another store"
)
