"""The life of a running server: start, serve, stop in order.

Knows which part has to start before which, and stops them the other way round.
Must not know which store or which trackers it runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from functools import partial

from rhtmx_server.cluster import ClusterNode
from rhtmx_server.conflict_log import base_of
from rhtmx_server.connections.connection import Connection
from rhtmx_server.connections.services import Services
from rhtmx_server.connections.visits import signed_out
from rhtmx_server.delivery.direct import send_each
from rhtmx_server.delivery.io_uring import fastest
from rhtmx_server.failures import place
from rhtmx_server.hooks import HookRunner
from rhtmx_server.horizon import ServerClock
from rhtmx_server.inspector import inspector_pages
from rhtmx_server.mirror.feed import MirrorFeed
from rhtmx_server.model import Commit
from rhtmx_server.transports.asgi import AsgiDoor
from rhtmx_server.transports.endpoints import endpoints
from rhtmx_server.transports.grpc import GrpcServer
from rhtmx_server.transports.handshakes import Handshakes
from rhtmx_server.transports.http import Http
from rhtmx_server.transports.origin import Origins
from rhtmx_server.transports.websocket import WebSocketServer
from rhtmx_server.upkeep import collect, watch, watch_readiness
from rhtmx_server.writing.sql_feed import SqlFeed

__all__ = ["RunningServer", "hand_out"]

log = logging.getLogger("rhtmx_server")

_SHARE = 0.9
"""Of the time that stopping may take, what is given to others: the rest is for the store."""


class RunningServer:
    """One server, from `start` to `stop`.

    Args:
        services: its parts.
        hooks: what the program wants to be told.
        pages: what is served over HTTP besides the API.
        clock: stamps what is written.
        leads: whether it does what one of several servers does for all.
        node: what it does as one of several; `None` for one that is alone.
        feed: applies what an application writes from its own SQL; `None` where it cannot.
        mirrors: keep records as the rows of the application's tables are.

    Attributes:
        clock: stamps what is written.
        asgi: serves what the application brings in which it is mounted.
        started: it runs, or is stopping.
    """

    def __init__(
        self,
        services: Services,
        hooks: HookRunner,
        pages: Mapping[str, tuple[str, bytes]],
        clock: ServerClock,
        leads: Callable[[], bool],
        node: ClusterNode | None = None,
        feed: SqlFeed | None = None,
        mirrors: Sequence[MirrorFeed] = (),
    ) -> None:
        self.services = services
        self.clock = clock
        self._leads = leads
        self._node = node
        self._feeds = (*(() if feed is None else (feed,)), *mirrors)
        self.url = ""
        self.started = False
        self._ready = False
        self._hooks = hooks
        config = services.config
        origins = Origins(config.origins, services.metrics, local=config.local)
        if config.inspector:
            pages = {**inspector_pages(), **pages}
        self._http = Http(services, pages, ready=self.ready, origins=origins)
        sockets = endpoints(config.without)
        handshakes = Handshakes(services, sockets, origins)
        self._websockets = WebSocketServer(services, handshakes, self._http)
        self.asgi = AsgiDoor(services, sockets, pages, self.ready)
        self.grpc = GrpcServer(services, ready=self.ready)
        self._tasks: list[asyncio.Task[None]] = []
        self._writing: asyncio.Task[None] | None = None

    async def start(self, *, listens: bool = True) -> str:
        """Open the store, begin to commit, listen.

        Args:
            listens: on its own port; else sockets come by `asgi` only.

        Returns:
            The address of the WebSocket endpoint; empty if it does not listen.
        """
        services = self.services
        await services.store.open()
        try:
            await self._divide()
            for log in await services.store.heads():
                if (entity := base_of(log)) is not None:
                    await services.committer.realign(entity)
            # Before anybody may connect: a hub at 0 would take every commit for a gap.
            services.hub.start(await services.store.heads())
            self.clock.not_before((await services.store.kept()).horizon or 0)
            await self._hooks.start()
            if self._node is not None:
                await self._node.start()
            await self.grpc.listen()
            port = await self._websockets.start() if listens else None
            if listens:  # what comes by `asgi` has its host's transport, and no other way
                services.hub.send_each = fastest(allowed=services.config.io_uring)
        # Also when cancelled: a store that stays open keeps the lock on its file.
        except BaseException:
            self.grpc.stop_accepting()
            await self.grpc.stop(asyncio.get_running_loop().time())
            if self._node is not None:
                await self._node.stop()
            await services.store.close()
            raise
        self._begin()
        host = services.config.host
        if port is not None:
            self.url = f"ws://{f'[{host}]' if ':' in host else host}:{port}/api/ws"
        self._ready = self.started = True
        self.grpc.readiness_changed()
        return self.url

    def _begin(self) -> None:
        """Hand out what is committed from now on, and do what is done by the clock."""
        services, node = self.services, self._node
        # Hooks first, as they only take a note.
        takers = [self._hooks.notice]
        if node is None:
            takers += services.hub.deliver, self._moved
        else:  # it tells of what has moved, wherever that was committed
            takers.append(node.following.committed)
        self._writing = asyncio.create_task(hand_out(services.committer.run(), *takers))
        self._tasks = [
            *map(asyncio.create_task, node.run(self._disconnect, self._rescope) if node else ()),
            asyncio.create_task(self._hooks.run()),
            *(asyncio.create_task(feed.run()) for feed in self._feeds),
            asyncio.create_task(watch(self.connections, services.now, services.config)),
            asyncio.create_task(watch_readiness(self.ready, self.grpc.readiness_changed)),
            asyncio.create_task(
                collect(
                    services.store,
                    services.hub,
                    services.config,
                    self.clock,
                    services.now,
                    self._leads,
                )
            ),
        ]

    def _moved(self, commits: Sequence[Commit]) -> None:
        live_forms = self.services.live_forms
        if live_forms.readers:  # mostly nobody wants to know
            live_forms.moved(commit.record.entity for commit in commits)

    async def _divide(self) -> None:
        """Have the store keep the parts that are declared, and no others."""
        store, access = self.services.store, self.services.access
        # What is declared no more may have been divided before.
        for entity in sorted({*access.entities, *await store.divided()}):
            await store.divide(entity, access.declared(entity), partial(access.parts_of, entity))

    def ready(self) -> bool:
        """Whether it takes connections and can write."""
        return self._ready and self.services.store.ready()

    @property
    def telling(self) -> bool:
        """Whether there are commits of which a hook has yet to be told."""
        return self._hooks.busy

    def connections(self) -> list[Connection]:
        """Sockets and streams, whichever way they came."""
        doors = self._websockets, self.asgi, self.grpc
        return [each for door in doors for each in door.connections()]

    async def rescope(self, subject: str) -> None:
        """Find out anew what a subject may read, on all its connections.

        Returns when all of them go by what was found; at other servers within a second or so.
        """
        if self._node is not None:
            self._node.tell(subject, ends=False)
        await self._rescope(subject)

    async def _rescope(self, subject: str) -> None:
        await asyncio.gather(
            self.services.rescope(subject), *(each.rescope() for each in self._of(subject))
        )

    def disconnect(self, subject: str) -> None:
        """End all connections of a subject, and what it is answered without one."""
        if self._node is not None:
            self._node.tell(subject, ends=True)
        self._disconnect(subject)

    def _disconnect(self, subject: str) -> None:
        error = signed_out()
        for connection in self._of(subject):
            connection.close(error.code, error.message)
        self.services.disconnect(subject)

    def _of(self, subject: str) -> list[Connection]:
        return [each for each in self.connections() if each.session.subject == subject]

    async def stop(self) -> None:
        """Stop accepting, finish the commits, send every client away, close the store.

        Takes at most `stop_timeout` seconds, whoever does not read.
        """
        self._ready = False
        timeout = _SHARE * self.services.config.stop_timeout
        deadline = asyncio.get_running_loop().time() + timeout
        # No new work before the committer is stopped: everything that was accepted is committed.
        for door in (self._websockets, self.asgi, self.grpc):
            door.stop_accepting()
        self.services.committer.stop()
        if self._writing is not None:
            await _within(self._writing, deadline - timeout / 2)
        # The answers to the last batch wait for the end of the tick, which may never come.
        self.services.tick.run()
        doors = self._websockets, self.asgi, self.grpc
        await asyncio.gather(*(door.stop(deadline) for door in doors))
        self.services.hub.send_each = send_each  # a ring goes now, not with the garbage collector
        await _within(asyncio.create_task(self._hooks.finish()), deadline)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.services.rooms.stop()
        if self._node is not None:
            await self._node.stop()
        await self.services.store.close()


async def hand_out(
    batches: AsyncIterable[Sequence[Commit]], *takers: Callable[[Sequence[Commit]], None]
) -> None:
    """Give the commits of each batch to all of them, until there are no more.

    What fails is logged and costs nobody else anything.

    Args:
        batches: commits, in order.
        takers: who takes them, in this order.
    """
    async for commits in batches:
        for take in takers:
            try:
                take(commits)
            except Exception as failure:
                log.error("handing out %d commits failed: %s", len(commits), place(failure))


async def _within(task: asyncio.Task[None], deadline: float) -> None:
    """Wait for a task, and cancel it at a deadline on the loop's clock."""
    left = max(0.0, deadline - asyncio.get_running_loop().time())
    await asyncio.wait([task], timeout=left)
    if not task.done():
        task.cancel()
