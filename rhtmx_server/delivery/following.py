"""One node among several: it tells the others what it commits, and hands out what they do.

Knows when to ask the store. Must not know how a bus carries messages, what a store is, nor who
reads.

The store is the truth, and the bus a hint. Whatever a message lacks, or the bus, is read from the
log of the store: at once where a gap shows (`follower`), and by looking where the logs end, every
`LOOK_EVERY` seconds; more often while the bus is down. A node that finds that the store lives
another life hands out nothing of before any more.

=========  ==================  ====================  =================  ======================
state      the bus is down     the store is gone     it is there again  another epoch
=========  ==================  ====================  =================  ======================
following  following, looking  following; nothing    following          begun anew: everybody
           more often          is written, `ready`                      comes back, and goes on
                               is false                                 from where that counts
=========  ==================  ====================  =================  ======================
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

from rhtmx.errors import RhtmxError
from rhtmx_server.delivery.announcement import pack, rows_of, unpack
from rhtmx_server.delivery.follower import Follower
from rhtmx_server.delivery.hub import Hub
from rhtmx_server.failures import place
from rhtmx_server.log_body import unpack_commits
from rhtmx_server.model import Commit, CommittedBatch, Head, LogRow
from rhtmx_server.sharing import Bus, SharedStore

__all__ = ["Following"]

log = logging.getLogger("rhtmx_server")

LOOK_EVERY = 1.0
"""Seconds between two looks at where the logs end."""

LOOK_WITHOUT_BUS = 0.15
"""The same while the bus is down."""

_NEVER = Head()
"""Where the log of an entity ends that was never written."""

MOST_BYTES = 256 * 1024
"""Bytes of commits that a message carries at most: more are read from the log as fast."""


class Following:
    """What a node of a cluster does besides what each server does.

    Args:
        store: the one that all nodes share.
        bus: to the others.
        hub: hands out what is committed.
        take: takes the commits whose turn it is.
        moved: is told which entities have moved, whether or not anybody reads them.
        told: makes of commits of another node what may be told here.
        begun_anew: is called when the store has another epoch, so that nobody may be told any more
            by what they were told before; and when this node will never write again.
        now: seconds, of a clock that does not jump.

    Attributes:
        gaps: how often something was missing and had to be read from the log.
    """

    def __init__(
        self,
        store: SharedStore,
        bus: Bus,
        hub: Hub,
        *,
        take: Callable[[Sequence[Commit]], None],
        moved: Callable[[Iterable[str]], None],
        told: Callable[[str, Sequence[Commit]], Sequence[Commit]],
        begun_anew: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._bus = bus
        self._hub = hub
        self._take = take
        self._moved = moved
        self._told = told
        self._begun_anew = begun_anew
        self._now = now
        self._follower = Follower(hub.position, self._hand_out)
        self._epoch = ""
        self._knows_ends = True
        self._ends: Mapping[str, int] = {}
        self._wake = asyncio.Event()
        self._look_at = 0.0
        self._doubts = False
        self.gaps = 0

    @property
    def held(self) -> int:
        """How many batches wait for what comes before them."""
        return self._follower.held

    async def start(self) -> None:
        """Listen to the others. The hub has to be where the logs end.

        Raises:
            RhtmxError: the bus cannot be used, and never will be.
        """
        self._epoch = self._store.epoch
        self._look_at = self._now() + LOOK_EVERY
        await self._bus.open(self._store.cluster, self._store.node, self._heard, self._missed)

    async def stop(self) -> None:
        """Say and hear nothing any more."""
        await self._bus.close()

    def committed(self, commits: Sequence[Commit]) -> None:
        """Tell the others of a batch of one's own, and hand it out."""
        batch = rows_of(commits)
        self._bus.announce(pack(self._store.epoch, batch, min(MOST_BYTES, self._bus.most_bytes)))
        self._follow(batch)

    async def run(self) -> None:
        """Read what is missing, and look where the logs end, until cancelled."""
        while True:
            now = self._now()
            try:
                # First: only this finds out that the store is gone, whatever is missing.
                if now >= self._look_at or self._doubts:
                    await self._look()
                elif due := self._follower.due(now):
                    await self._read(due)
            except RhtmxError as error:
                log.debug("the store cannot be followed for now: %s", error)
                self._doubts = True
                if self._store.void:
                    self._begun_anew()  # at another node they go on
                await asyncio.sleep(LOOK_WITHOUT_BUS)
            except Exception as failure:
                log.error("following the other nodes failed: %s", place(failure))
                self._doubts = True
                await asyncio.sleep(LOOK_WITHOUT_BUS)
            else:
                await self._pause()

    def reach(self, entities: Iterable[str], seen: Mapping[str, int]) -> Awaitable[None] | None:
        """Have the hub be at least where these logs end now, unless it surely is.

        Where nobody reads an entity live, nobody has looked where it ends.

        Args:
            entities: the collections.
            seen: up to which version somebody has seen some of them: maybe at another node.

        Returns:
            What has to be awaited for that; it raises `STORAGE_FAILED` if the store is not there.
        """
        position = self._hub.position
        reads = self._hub.reads if self._knows_ends else _nothing
        unsure = [e for e in entities if not reads(e) or seen.get(e, 0) > position(e)]
        return self._look_at_ends(unsure) if unsure else None

    async def _look_at_ends(self, entities: Collection[str]) -> None:
        heads = await self._look_up(entities)
        self._hub.raise_floors(heads)
        behind = self._behind(heads)
        if behind:
            await self._read(behind)

    async def _look_up(self, entities: Collection[str]) -> Mapping[str, Head]:
        """Where these logs end; nothing, if everybody comes back, as the epoch is another one."""
        heads = await self._store.look_up(entities)
        if self._store.epoch == self._epoch:
            return heads
        await self._begin_anew()
        return {}

    def _heard(self, message: bytes) -> None:
        said = unpack(message)
        if said is None or said.epoch != self._epoch:
            self._missed()  # it says something that this node does not know yet
        else:
            self._follow(said.batch)

    def _missed(self) -> None:
        self._doubts = True
        self._wake.set()

    def _follow(self, batch: CommittedBatch) -> None:
        self._follower.take(batch, self._now())
        if self._follower.held:
            self._wake.set()

    async def _pause(self) -> None:
        """Wait until there is something to do."""
        now = self._now()
        self._look_at = min(
            self._look_at, now + (LOOK_EVERY if self._bus.ready() else LOOK_WITHOUT_BUS)
        )
        until_due = self._follower.wait(now)
        pause = max(0.0, self._look_at - now)
        pause = pause if until_due is None else min(pause, until_due)
        try:
            async with asyncio.timeout(max(0.001, pause)):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _look(self) -> None:
        """Look where the logs end that somebody reads."""
        in_doubt, self._doubts = self._doubts, False
        self._look_at = self._now() + LOOK_EVERY
        if not self._knows_ends:
            await self._find_ends()
        before = {each: self._hub.position(each) for each in self._hub.read}
        epoch = self._epoch
        heads = await self._look_up(before)
        if epoch == self._epoch and any(
            heads.get(entity, _NEVER).version < position for entity, position in before.items()
        ):
            log.error(
                "the store has less than this server has handed out, as after a restored snapshot: "
                "every client starts anew"
            )
            await self._store.renew_epoch()
            await self._begin_anew()
            return
        self._hub.raise_floors(heads)
        behind = self._behind(heads)
        # What was committed just now is on its way. Only what was there at the last look is late.
        late = {
            entity: position
            for entity, position in behind.items()
            if in_doubt or not self._bus.ready() or self._ends.get(entity, position) > position
        }
        self._ends = {entity: head.version for entity, head in heads.items()}
        if late:
            await self._read(late)

    async def _read(self, positions: Mapping[str, int]) -> None:
        """Read what was committed after these positions from the log, and hand it out."""
        self.gaps += 1
        now, epoch = self._now(), self._epoch
        # Of all that somebody reads: a batch may have written there, too, and is told as one.
        positions = {each: self._hub.position(each) for each in {*positions, *self._hub.read}}
        batches = await self._store.log_after(positions)
        if batches is None:  # more than a reader wants to be told one by one
            heads = await self._look_up(positions)
            batches = [
                [LogRow(entity, position, heads[entity].version)]
                for entity in positions
                if entity in heads
                and heads[entity].version > (position := self._hub.position(entity))
            ]
        if epoch != self._epoch:
            return  # what was read is of another life
        for batch in batches:
            self._follower.take(batch, now, stored=True)
        self._follower.were_read(positions, now)

    def _behind(self, heads: Mapping[str, Head]) -> dict[str, int]:
        """Where the hub is not where a log ends, and where it is."""
        return {
            entity: position
            for entity, head in heads.items()
            if head.version > (position := self._hub.position(entity))
        }

    async def _begin_anew(self) -> None:
        log.warning("the store has another epoch: every client comes back")
        self._epoch, self._ends = self._store.epoch, {}
        self._follower.forget()
        self._begun_anew()
        # Before anything is awaited: nobody is told of a place of before by the new epoch.
        self._hub.start({})
        self._knows_ends = False
        await self._find_ends()

    async def _find_ends(self) -> None:
        """Have the hub be where all logs end in the new life."""
        heads = await self._store.heads()
        self._hub.raise_floors(heads)
        for entity in self._behind(heads):
            self._hub.skip(entity, heads[entity].version)
        self._knows_ends = True

    def _hand_out(self, batch: CommittedBatch) -> None:
        self._store.moved()
        commits: list[Commit] = []
        for row in batch:
            found = self._commits(row)
            if found is None:
                self._hub.skip(row.entity, row.upto)
            else:
                commits += found
        if commits:
            self._take(commits)
        self._moved(row.entity for row in batch)

    def _commits(self, row: LogRow) -> Sequence[Commit] | None:
        """The commits of a row; `None` if there is nobody to be told, or nothing to tell them."""
        if row.commits is not None:
            return row.commits
        if row.body is None or not self._hub.reads(row.entity):
            return None
        commits = unpack_commits(row.entity, row.body)
        return None if commits is None else self._told(row.entity, commits)


def _nothing(entity: str) -> bool:
    return False
