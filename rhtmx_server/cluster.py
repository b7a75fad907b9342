"""What a server does as one of several that share a store.

Knows its parts and their order. Must not know how any of them does its work.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from typing import Any

from rhtmx.errors import ErrorCode
from rhtmx_server.buses.split import SplitBus
from rhtmx_server.connections.connection import Connection
from rhtmx_server.connections.services import Services
from rhtmx_server.delivery.following import Following
from rhtmx_server.hooks import HookRunner
from rhtmx_server.leadership import Leadership
from rhtmx_server.model import Commit
from rhtmx_server.rooms.cluster_rooms import ClusterRooms
from rhtmx_server.rooms.wire import LETTER
from rhtmx_server.schema.untold import plain_commits
from rhtmx_server.sharing import Bus, SharedStore, SubjectNotice
from rhtmx_server.subject_notices import SubjectNotices

__all__ = ["ClusterNode"]

_SHORT = 8
"""Letters of a node's random name that tell it from the others."""

_MOVED = "the server's database is not what it was: connect again"


class ClusterNode:
    """One of several servers.

    Args:
        store: that all of them use.
        bus: to the others.
        services: the parts of the server.
        hooks: calls the program's hooks.
        leadership: whether this one does what one of them does for all.
        hides: the keys of the fields that never leave the server, by entity.
        connections: all that there are.
    """

    def __init__(
        self,
        store: SharedStore,
        bus: Bus,
        services: Services,
        hooks: HookRunner,
        leadership: Leadership,
        hides: Mapping[str, Collection[str]],
        connections: Callable[[], Iterable[Connection]],
    ) -> None:
        self._leadership = leadership
        self._notices = SubjectNotices(store)
        self._connections = connections
        self._hides = hides
        self._committer = services.committer
        self._hooks = hooks
        self._live_forms = services.live_forms
        bus = SplitBus(bus, LETTER)
        self._rooms = ClusterRooms(
            services.rooms,
            bus,
            lambda: store.node,
            heartbeat=services.config.heartbeat,
            now=services.now,
            later=services.later,
        )
        bus.beside = self._rooms.hear
        self.following = Following(
            store,
            bus,
            services.hub,
            take=services.hub.deliver,
            moved=self._moved,
            told=self._told,
            begun_anew=self._begun_anew,
            now=services.now,
        )
        services.reach = self.following.reach
        services.node = services.config.node_name or store.node[:_SHORT]
        metrics = services.metrics
        metrics.bus_connected.set_function(bus.ready)
        metrics.bus_dropped.set_function(lambda: bus.dropped)
        metrics.log_gaps.set_function(lambda: self.following.gaps)
        metrics.batches_held.set_function(lambda: self.following.held)
        metrics.leads.set_function(leadership)
        metrics.nodes.set_function(lambda: leadership.nodes)

    async def start(self) -> None:
        """Listen to the others; what `run` returns has to run from then on."""
        await self._notices.start()
        await self.following.start()

    def run(
        self, disconnect: Callable[[str], None], rescope: Callable[[str], Awaitable[None]]
    ) -> Sequence[Coroutine[Any, Any, None]]:
        """What goes on until the server stops.

        Args:
            disconnect: ends all that a subject has open at this server.
            rescope: finds out anew what a subject may read, likewise.
        """
        told = self._notices.run(disconnect, rescope)
        return self.following.run(), self._leadership.run(), self._rooms.run(), told

    def tell(self, subject: str, *, ends: bool) -> None:
        """Have the other servers end all that a subject has open, or ask anew what it may read."""
        self._notices.tell(SubjectNotice(subject, ends))

    async def stop(self) -> None:
        """Have another node lead, and say and hear nothing any more."""
        await self._notices.finish()
        await self._leadership.resign()
        await self.following.stop()

    def _moved(self, entities: Iterable[str]) -> None:
        moved = frozenset(entities)  # it can be gone through once only
        self._hooks.moved(moved)
        if self._live_forms.readers:
            self._live_forms.moved(moved)

    def _told(self, entity: str, commits: Sequence[Commit]) -> Sequence[Commit]:
        hides = self._hides.get(entity)
        return plain_commits(commits, hides) if hides else commits

    def _begun_anew(self) -> None:
        self._committer.begin_anew()
        for each in list(self._connections()):
            each.close(ErrorCode.SHUTTING_DOWN, _MOVED)
