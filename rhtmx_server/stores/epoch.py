"""The id of one life of a store.

Knows where randomness comes from, so that the stores take it as an argument.
"""

from __future__ import annotations

import secrets

__all__ = ["random_epoch"]


def random_epoch() -> str:
    """Make a new epoch: 16 hexadecimal digits, never the same twice in practice."""
    return secrets.token_hex(8)
