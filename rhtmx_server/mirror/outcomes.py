"""What came of comparing and writing: figures, and the rows that cannot become records.

Pure. Knows counts and words. Must not know tables, stores or the loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["MOST_REJECTED", "Reconciled", "RejectedRows"]

MOST_REJECTED = 1000
"""So many rejected rows of an entity are remembered."""


class Reconciled(NamedTuple):
    """How the records of an entity differed from the rows of its table.

    A row that changes while they are compared, and that the outbox names, is no difference.

    Attributes:
        entity: the collection.
        rows: how many rows there are.
        added: records that were missing.
        changed: records that were otherwise.
        removed: records without a row.
        rejected: rows that cannot become records; they count as nothing else.
        repaired: whether the records are now as the rows are.
    """

    entity: str
    rows: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    rejected: int = 0
    repaired: bool = True

    @property
    def differences(self) -> int:
        """How many records differed."""
        return self.added + self.changed + self.removed

    def __str__(self) -> str:
        return (
            f"{self.entity}: {self.rows} rows; records that were missing: {self.added}, "
            f"otherwise: {self.changed}, without a row: {self.removed}; "
            f"rows that cannot become records: {self.rejected}"
        )


class RejectedRows:
    """The rows of one table that cannot become records, and why; at most `MOST_REJECTED`."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    def take(self, decided: Mapping[str, str | None]) -> Mapping[str, str]:
        """Take note of what came of some rows.

        Args:
            decided: by the id of the record, why it was rejected; `None` if it was not.

        Returns:
            Those that were not rejected before, or for another reason.
        """
        news: dict[str, str] = {}
        for name, reason in decided.items():
            if reason is None:
                self._reasons.pop(name, None)
            elif self._reasons.get(name) != reason:
                news[name] = reason
                if name in self._reasons or len(self._reasons) < MOST_REJECTED:
                    self._reasons[name] = reason
        return news

    @property
    def reasons(self) -> Mapping[str, str]:
        """By the id of the record, why there is none, or none that is up to date."""
        return MappingProxyType(self._reasons)
