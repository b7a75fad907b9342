"""What the core wants kept, until the shell has stored it. Pure.

Knows which op replaces which. Must not know stores, nor when they are written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rhtmx.core.storage_ops import Add, Op, Vital

__all__ = ["OpBatch", "PendingOps"]


@dataclass(slots=True)
class OpBatch:
    """What is to be stored in one transaction.

    Args:
        adds: new writes, to be numbered in this order.
        ops: everything else, by what it is about.
    """

    adds: list[Add] = field(default_factory=list)
    ops: dict[tuple[str, ...], Op] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.adds or self.ops)

    @property
    def vital(self) -> list[Op]:
        """The ops that must not wait."""
        return [op for op in self.ops.values() if isinstance(op, Vital)]


class PendingOps:
    """Collects ops: of several about the same thing the last one counts.

    Attributes:
        durable: whether there is a store at all; without one nothing is collected.
    """

    def __init__(self) -> None:
        self.durable = False
        self._batch = OpBatch()

    def put(self, op: Op) -> None:
        """Put down what is so from now on."""
        if self.durable:
            self._batch.ops[op.key] = op

    def add(self, add: Add) -> None:
        """A new write."""
        self._batch.adds.append(add)

    def take(self) -> OpBatch:
        """Everything since the last call."""
        batch, self._batch = self._batch, OpBatch()
        return batch

    def give_back(self, ops: Iterable[Op]) -> None:
        """These could not be stored: try again, beneath what has come since."""
        self._batch.ops = {**{op.key: op for op in ops}, **self._batch.ops}

    def __bool__(self) -> bool:
        return bool(self._batch)
