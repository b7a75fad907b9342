"""The error of a program whose declarations do not go together. Knows nothing else."""

from __future__ import annotations

__all__ = ["DeclarationError"]


class DeclarationError(ValueError):
    """What a program has declared cannot work: found when it starts.

    In words that say what to write.
    """
