"""The interface of what an application has written from its own SQL.

Knows what is asked of a store that has such writes. Must not know how it keeps them, nor what
becomes of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

__all__ = ["EVERYTHING", "SqlLook", "SqlMark", "SqlPage", "SqlStore", "SqlWrite"]


class SqlWrite(NamedTuple):
    """One call of a function of the store, by the application.

    Args:
        id: of its row.
        transaction: names the transaction of the database in which it was called.
        kind: `push`, `push_fields` or `delete`.
        entity: the collection.
        entity_id: the record.
        data: JSON: the record, or an object of the fields; `None` for `null`, and of a delete.
        removed: the names of the fields that go.
        author: the client in whose name it was written, if any.
    """

    id: int
    transaction: str
    kind: str
    entity: str
    entity_id: str
    data: bytes | None
    removed: Sequence[str] = ()
    author: str | None = None


class SqlMark(NamedTuple):
    """Up to where somebody has looked.

    Args:
        begins: the name of the transaction that would have been the next one.
        open: those before it that were not at their end.
    """

    begins: str
    open: Sequence[str] = ()


EVERYTHING = SqlMark("0")
"""The mark of who has not looked yet."""


class SqlLook(NamedTuple):
    """What was seen.

    Args:
        transactions: those that have something that waits, in the order in which to apply them.
        mark: up to where was looked.
        whole: there are no more of them before the mark.
    """

    transactions: Sequence[str]
    mark: SqlMark
    whole: bool


class SqlPage(NamedTuple):
    """The first writes of some transactions.

    Args:
        writes: in order.
        whole: there are no more. Otherwise the last transaction may have more.
    """

    writes: Sequence[SqlWrite]
    whole: bool


@runtime_checkable
class SqlStore(Protocol):
    """A store beside which applications write in their own transactions.

    Its `commit` knows their rows: what `BatchWrites.sql_rows` names goes with the batch, which is
    decided anew if another server was quicker.
    """

    async def sql_look(self, since: SqlMark) -> SqlLook:
        """Which transactions have writes that wait.

        Args:
            since: up to where was looked before: of what was seen then nothing is left.
        """

    async def sql_page(self, transactions: Sequence[str], most: int) -> SqlPage:
        """The first writes of some transactions that wait.

        Args:
            transactions: in the order in which they are applied.
            most: so many at most; fewer, if they weigh more than about 1 MiB.
        """

    async def sql_reject(self, reasons: Mapping[int, str]) -> None:
        """Keep writes aside that cannot be applied, so that somebody can look at them.

        Args:
            reasons: for each id of a row, why.
        """
