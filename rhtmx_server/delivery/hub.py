"""Fan-out: every commit, encoded once per encoding, to everyone who is live.

Knows groups of subscribers and the position up to which it has delivered.
Must not know sockets, formats or stores: an encoding turns a message into
bytes, a subscriber takes them.

All members of a group (`groups`) stand at the same position, so the cursor of a live
subscriber is its membership. So do those of a group that a commit does not concern:
they have got everything up to there that is for them, which is nothing.

A record that leaves the scope of a group is gone for it, and one that enters is sent
whole: its members have never seen what it was outside.

A transaction is one step to whoever reads it: its changes go out in one tick, whatever
entities they are of, and after the last of them each reader is told that this was all
(`transaction_complete`). Who is behind falls out of all that it reads of them, so that none
gets a half.

What is ephemeral has a road of its own beside the commits: no version, no position,
nothing to read later. Whoever is behind misses it, and does not fall for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from rhtmx.messages import TransactionComplete
from rhtmx.wire import ServerMessage
from rhtmx_server.conflict_log import RESERVED
from rhtmx_server.delivery.direct import SendEach, send_each
from rhtmx_server.delivery.groups import Encoding, Group, Groups, Subscriber, fell
from rhtmx_server.delivery.outbox import Tick
from rhtmx_server.encoding.render import Passage, live_messages, passage
from rhtmx_server.failures import place
from rhtmx_server.model import NOWHERE, Commit, Granularity, Head, Scope

__all__ = ["Hub", "Watcher"]

log = logging.getLogger("rhtmx_server")


EARLY = 128 * 1024
"""Bytes of one tick after which the members of a group are written to at once."""


class Watcher(Protocol):
    """Somebody at this server who has to know what is committed, and is sent nothing."""

    def committed(self, commit: Commit) -> None:
        """Take note of a commit, when it is handed out."""

    def missed(self, entity: str) -> None:
        """Take note that something was committed that is not known here."""


class Hub:
    """Delivers commits to live subscribers.

    Args:
        tick: ends the tick in which frames are joined.
        delivered: is told how many deliveries were made.
        dropped: is told how many deliveries of ephemeral messages were not.
        send_each: writes the same bytes to many sockets.

    Attributes:
        send_each: what does that from now on.
        entities: how many there are: that were ever written. Conflict logs are none.
    """

    def __init__(
        self,
        tick: Tick,
        delivered: Callable[[int], None] = lambda count: None,
        dropped: Callable[[int], None] = lambda count: None,
        send_each: SendEach = send_each,
    ) -> None:
        self._tick = tick
        self._delivered = delivered
        self._dropped = dropped
        self.send_each = send_each
        self.entities = 0
        self._heads: dict[str, Head] = {}
        self._groups: dict[str, Groups] = {}
        self._dirty: dict[Group, None] = {}
        self._transactions: dict[str, dict[Group, None]] = {}
        self._noting: dict[str, list[dict[str, int]]] = {}
        self._watchers: dict[str, Watcher] = {}

    def start(self, heads: Mapping[str, Head]) -> None:
        """Begin at the heads of the store."""
        self._heads, self.entities = {}, 0
        for entity, head in heads.items():
            mine = self._head(entity)
            mine.version, mine.floor = head.version, head.floor

    def raise_floors(self, heads: Mapping[str, Head]) -> None:
        """Take over the floors of the store, while running.

        Not its versions: what is durable may not have been handed out yet.
        """
        for entity, head in heads.items():
            # Also of what has yet to be handed out for the first time.
            self._head(entity).floor = head.floor

    def head(self, entity: str) -> Head:
        """The log of an entity as far as it has been handed out."""
        return self._heads.get(entity) or Head()

    def position(self, entity: str) -> int:
        """Everything up to this version has been handed out."""
        head = self._heads.get(entity)
        return head.version if head else 0

    def join(
        self, entity: str, granularity: Granularity, subscriber: Subscriber, scope: Scope = None
    ) -> None:
        """Make a subscriber live that has got everything up to `position(entity)`.

        Args:
            entity: the collection.
            granularity: what it reads.
            subscriber: who; once for an entity at a granularity.
            scope: the parts that it reads.
        """
        groups = self._groups.get(entity)
        if groups is None:
            groups = self._groups[entity] = Groups(entity)
        group = groups.make(granularity, subscriber.encoding, scope, self.position(entity))
        self._flush(group)  # what waits there is known to the new member already
        group.members[subscriber] = subscriber.outbox

    def leave(
        self, entity: str, granularity: Granularity, subscriber: Subscriber, scope: Scope = None
    ) -> None:
        """Take a live subscriber out, once it has got everything up to `position(entity)`.

        If it is behind it falls instead.
        """
        self.finish_transactions()  # else it would not be told their end
        group = self.flush(entity, granularity, subscriber, scope)
        if group is not None:
            group.members.pop(subscriber, None)
            self._forget_empty([group])

    def flush(
        self, entity: str, granularity: Granularity, subscriber: Subscriber, scope: Scope = None
    ) -> Group | None:
        """Hand a live subscriber everything up to `position(entity)` now.

        If it is behind it falls instead.

        Returns:
            The group that it was in; `None` if it was in none.
        """
        groups = self._groups.get(entity)
        group = groups.find(granularity, subscriber.encoding, scope) if groups else None
        if group is None or subscriber not in group.members:
            return None
        self._flush(group)
        return group

    @contextmanager
    def noting(self, entity: str) -> Iterator[dict[str, int]]:
        """Collect the records of an entity, and their versions, that are handed out meanwhile."""
        noted: dict[str, int] = {}
        notes = self._noting.setdefault(entity, [])
        notes.append(noted)
        try:
            yield noted
        finally:
            # By identity: two of them may hold the same.
            notes[:] = [each for each in notes if each is not noted]
            if not notes:
                self._noting.pop(entity, None)

    def watch(self, entity: str, watcher: Watcher) -> None:
        """Have somebody told of all that is committed in an entity: one for each."""
        self._watchers[entity] = watcher

    def unwatch(self, entity: str) -> None:
        """Have nobody told any more."""
        del self._watchers[entity]

    def deliver(self, commits: Sequence[Commit]) -> None:
        """Hand out commits, in version order for each entity."""
        reads_logs = any(entity.startswith(RESERVED) for entity in self._groups)
        superseded = _superseded(commits) if reads_logs else ()
        for commit in commits:
            entity, version = commit.record.entity, commit.record.version
            head = self._head(entity)
            groups = self._groups.get(entity)
            concerned: Iterable[Group] = ()
            if groups:
                # A gap: what is missing is in the store, and only there. Nobody may get what comes
                # after it first.
                if version != head.version + 1:
                    self._drop(groups.all)
                is_told = not superseded or (entity, version) not in superseded
                concerned = groups.concerned(commit) if is_told else ()
                self._frame(commit, concerned)
                if commit.transaction:
                    self._transactions.setdefault(commit.transaction, {}).update(
                        dict.fromkeys(concerned)
                    )
            if self._noting:
                for noted in self._noting.get(entity, ()):
                    noted[commit.record.entity_id] = version
            if self._watchers:
                self._tell_watcher(commit, is_next=version == head.version + 1)
            head.version = version
            for group in list(concerned):
                self._flush_later(group)
                if group.size > EARLY:
                    self._flush_early(group)

    @property
    def read(self) -> Collection[str]:
        """The entities that somebody reads live, or watches."""
        return self._groups.keys() | self._watchers.keys()

    def reads(self, entity: str) -> bool:
        """Whether somebody reads an entity live, or watches it."""
        return entity in self._groups or entity in self._watchers

    def skip(self, entity: str, version: int) -> None:
        """Go on after a version without what was committed up to it.

        Whoever reads the entity live reads the store from where they are.
        """
        groups = self._groups.get(entity)
        if groups:
            self._drop(groups.all)
        self._head(entity).version = version
        if watcher := self._watchers.get(entity):
            watcher.missed(entity)

    def finish_transactions(self) -> None:
        """Hand out all of the transactions that have been committed, before the tick ends."""
        if self._transactions:
            self._flush_all()

    def tell(self, entity: str, message: ServerMessage) -> None:
        """Hand an ephemeral message to everyone who reads an entity live, once each.

        It goes out with the tick, and is nowhere after it: who is behind misses it, and who
        catches up is not live. A client that said no `hello` is not told.
        """
        frames: dict[Encoding, bytes] = {}
        groups = self._groups.get(entity)
        for group in list(groups.all) if groups else ():
            if not group.members or group.scope == NOWHERE:  # these may know nothing of it
                continue
            self._flush_later(group)
            frame = frames.get(group.encoding)
            if frame is None:
                frame = frames[group.encoding] = group.encoding.frame(message)
            if frame:
                group.tell(frame)
            if group.size > EARLY:
                self._flush_early(group)

    def _head(self, entity: str) -> Head:
        """The log of an entity, from now on one of those that there are."""
        head = self._heads.get(entity)
        if head is None:
            head = self._heads[entity] = Head()
            # Counted as they come: a push under a new name would have all counted each time.
            self.entities += not entity.startswith(RESERVED)
        return head

    def _tell_watcher(self, commit: Commit, *, is_next: bool) -> None:
        watcher = self._watchers.get(commit.record.entity)
        if watcher is None:
            return
        try:
            if not is_next:
                watcher.missed(commit.record.entity)
            watcher.committed(commit)
        except Exception as failure:  # it costs the readers nothing
            log.error("a watcher could not be told of a commit: %s", place(failure))

    def _flush_later(self, group: Group) -> None:
        # Once in a tick, whatever the number of commits in it.
        if not self._dirty:
            self._tick.before_writing(self._flush_all)
        self._dirty[group] = None

    def _frame(self, commit: Commit, groups: Iterable[Group]) -> None:
        # Rendered once for each granularity and passage, encoded once for each encoding of it.
        rendered: dict[tuple[Granularity, Passage], list[ServerMessage]] = {}
        encoded: dict[tuple[Granularity, Passage, Encoding], list[bytes]] = {}
        for group in groups:
            if not group.members:
                continue
            scope = group.scope
            way = Passage.STAYS if scope is None else passage(commit, scope)
            kind = (group.granularity, way, group.encoding)
            try:
                frames = encoded.get(kind)
                if frames is None:
                    messages = rendered.get(kind[:2])
                    if messages is None:
                        messages = live_messages(commit, group.granularity, way)
                        rendered[kind[:2]] = messages
                    encode = group.encoding.frame
                    frames = [frame for message in messages if (frame := encode(message))]
                    encoded[kind] = frames
            except Exception as failure:
                log.error("a commit could not be encoded: %s", place(failure))
                self._drop([group])
            else:
                group.add(frames, commit.record.version)

    def _drop(self, groups: Iterable[Group]) -> None:
        """What comes next is missing: everyone reads the store from where they are."""
        for group in groups:
            self._flush(group)
            # Emptied first: a member that comes back at once joins the new life of the group.
            members, group.members = group.members, {}
            for member in members:
                fell(member, group, group.sent)

    def _flush(self, group: Group, send_each: SendEach | None = None) -> None:
        if group.ephemeral:  # first: who falls now misses them, too
            self._dropped(group.flush_ephemeral())
        self._delivered(group.flush(self.position(group.entity), send_each))

    def _flush_early(self, group: Group) -> None:
        """A burst is larger than a slow reader may keep waiting: see now who is slow."""
        self._flush(group)
        for outbox in list(group.members.values()):
            outbox.flush()

    def _flush_all(self) -> None:
        dirty, self._dirty = self._dirty, {}
        transactions, self._transactions = self._transactions, {}
        for groups in transactions.values():
            self._drop_slow(groups)
        send_each = self.send_each if len(dirty) == 1 and not transactions else None
        for group in dirty:
            self._flush(group, send_each)
        for name, groups in transactions.items():
            self._complete(name, groups)
        self._forget_empty(dirty)

    def _drop_slow(self, groups: Iterable[Group]) -> None:
        """Whoever is behind gets nothing of a transaction, rather than a half."""
        slow = {each for group in groups for each, outbox in group.members.items() if outbox.behind}
        for group in groups if slow else ():
            for member in slow & group.members.keys():
                del group.members[member]
                fell(member, group, group.sent)

    def _complete(self, name: str, groups: Iterable[Group]) -> None:
        """Tell each reader of a transaction, once, that it has all of it."""
        told: dict[Subscriber, Group] = {each: group for group in groups for each in group.members}
        frames: dict[Encoding, bytes] = {}
        for member, group in told.items():
            if member.takes_ephemeral:  # it said hello
                if group.encoding not in frames:
                    frames[group.encoding] = group.encoding.frame(TransactionComplete(name))
                member.outbox.put(frames[group.encoding])

    def _forget_empty(self, groups: Iterable[Group]) -> None:
        for group in groups:
            of_entity = self._groups.get(group.entity)
            if of_entity is None or group.members:
                continue
            of_entity.forget_empty([group])
            if not of_entity:
                del self._groups[group.entity]


def _superseded(commits: Sequence[Commit]) -> Collection[tuple[str, int]]:
    """Those of conflict logs, by entity and version, after which another one says all that counts.

    Each conflict is a commit of its own, with all that is open of its record: to read a push that
    is in conflict 64 times would be to read megabytes. Nobody misses any: it is the next one of
    the same record that tells it, in the same step, to all whom it concerns.
    """
    found: set[tuple[str, int]] = set()
    following: dict[str, dict[str, Commit]] = {}
    for commit in reversed([each for each in commits if each.record.entity.startswith(RESERVED)]):
        record = commit.record
        after = following.setdefault(record.entity, {}).get(record.entity_id)
        following[record.entity][record.entity_id] = commit
        if after is not None and after.transaction == commit.transaction:
            concerned = commit.before | commit.after
            if concerned <= after.before | after.after:
                found.add((record.entity, record.version))
    return found
