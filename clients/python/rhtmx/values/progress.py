"""How far a long load is.

Knows versions. Must not know what is loaded, nor who shows it.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Progress"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long load is, counted in versions of the entity's log, in whose order it comes.

    A record comes once, at its latest: where records were written several times, it comes sooner
    to its end than its beginning lets expect.

    Attributes:
        received: everything up to this version is here.
        expected: the newest version when the load began; more may be written meanwhile.
    """

    received: int
    expected: int

    @property
    def fraction(self) -> float:
        """The same as a number from 0 to 1."""
        return self.received / self.expected if self.expected else 1.0
