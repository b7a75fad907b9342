"""The interfaces of what several servers share: a store, and a bus that wakes the others.

Knows what they are asked. Must not know how they answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from rhtmx_server.model import CommittedBatch, Head
from rhtmx_server.ports import Store

__all__ = ["Bus", "SharedStore", "SubjectNotice"]


class SubjectNotice(NamedTuple):
    """What is to be done for a subject, at each node.

    Args:
        subject: whom it is about.
        ends: its connections end; otherwise its rights have changed.
    """

    subject: str
    ends: bool


class SharedStore(Store, Protocol):
    """A store to which several processes write: the nodes of a cluster.

    What a batch has looked at may be otherwise when it is written: then it is decided anew.
    """

    @property
    def cluster(self) -> str:
        """By what the nodes that share this store know each other: the same for all, for ever."""

    @property
    def node(self) -> str:
        """The name of this node: another one each time."""

    @property
    def void(self) -> bool:
        """Whether this node will write no more, until it is started again."""

    @property
    def ahead(self) -> int:
        """By how much the clock of the store is ahead of this machine's; microseconds.

        As it was when it was looked at last.
        """

    async def look_up(self, entities: Collection[str]) -> Mapping[str, Head]:
        """Where these logs begin and end now; and find out whether the store is there at all.

        `ready` says from then on what came of it. `epoch` is another one where the store has
        begun another life.

        Args:
            entities: those that are wanted; one that was never written is left out.

        Raises:
            RhtmxError: `STORAGE_FAILED`, it is not there.
        """

    def turn(self, waiting: Callable[[], Iterable[str]]) -> AbstractAsyncContextManager[None]:
        """Wait for one's turn to write, where other nodes write the same; the next commit uses it.

        Whoever takes its batch only then takes along what came while it waited. It is given back
        at the end, if nothing was committed.

        Args:
            waiting: the entities that are about to be written; called only if it makes a
                difference.
        """

    async def log_after(self, positions: Mapping[str, int]) -> Sequence[CommittedBatch] | None:
        """What was committed in some entities after a version.

        Of a batch that wrote several of them, all.

        Args:
            positions: the version for each entity.

        Returns:
            The batches, those of an entity in their order; or `None`, if it is so much that
            whoever reads should rather read the records, or if some of it is kept no more.
        """

    async def lead(self, seconds: float) -> bool:
        """Be the node that does what one of them does for all, for so long; or go on to be it.

        Args:
            seconds: after that another one may lead.

        Returns:
            Whether this node leads now, and no other.
        """

    async def count_nodes(self, seconds: float) -> int:
        """Show that this node is there; how many have done so within that time."""

    async def resign(self) -> None:
        """Lead no more, if this node does, and be there no more."""

    async def begin_telling(self, entities: Collection[str] | None) -> Mapping[str, int]:
        """Up to which version hooks have been told of each entity; and note that they are now.

        One that hooks were never told of begins with what was committed since this was last
        noted; or, if it never was, with what comes.

        Args:
            entities: those that hooks want to be told of; `None` for all.

        Returns:
            The version of each. Of one that is not among them, hooks have been told nothing.
        """

    async def note_told(self, entity: str, version: int) -> None:
        """Note up to which version of this epoch hooks have been told of an entity."""

    async def note(self, notice: SubjectNotice) -> None:
        """Tell the other nodes something of a subject."""

    async def notices(self) -> Sequence[SubjectNotice]:
        """What other nodes have told since this was asked last, each once; at first, nothing."""

    def moved(self) -> None:
        """Take note that others have written: what was kept of what was read is void."""


class Bus(Protocol):
    """Tells the other nodes of a cluster what this one has committed.

    It may lose, delay, repeat or reorder messages: they are only hints, and what is true is in
    the store. Nothing that it does or fails to do holds up a commit, or fails one.

    All calls are made on the event loop on which it was opened.
    """

    @property
    def most_bytes(self) -> int:
        """The largest message that it carries now: at least 1 kB.

        It may change with each connection, as each server has its own limit.
        """

    @property
    def dropped(self) -> int:
        """How many messages have been dropped here since it was made, of those announced."""

    async def open(
        self, cluster: str, node: str, heard: Callable[[bytes], None], missed: Callable[[], None]
    ) -> None:
        """Connect, and listen to the other nodes of a cluster.

        A bus that cannot be reached is no error: it is tried again, with growing, random pauses.

        Args:
            cluster: which one: the nodes of two clusters never hear each other, on whatever
                server they meet. 1 to 64 letters, digits, `_` and `-`.
            node: which of its nodes this is; spelt in the same way, and another for each node.
            heard: is called with each message of another node, and never with one's own.
            missed: is called whenever messages may have been lost on their way to this node:
                it is connected again, or was too slow. Maybe more often than that.

        Raises:
            ValueError: a name that is not spelt so.
            RhtmxError: `STORAGE_FAILED`, for what no other try will mend, with what to do:
                credentials are refused, a certificate is not trusted, a file is not there.
        """

    def announce(self, message: bytes) -> None:
        """Send a message to all other nodes, now or never. Never waits, and never raises.

        It is dropped, and counted, if the bus is not connected, if it is larger than
        `most_bytes`, or if too much waits to be sent already.
        """

    def ready(self) -> bool:
        """Whether it is connected, as far as is known.

        A server that has stopped without a word is noticed within some seconds.
        """

    async def close(self) -> None:
        """Disconnect, within seconds. Nothing is heard any more. May be called twice."""
