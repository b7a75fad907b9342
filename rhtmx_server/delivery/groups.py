"""Groups: the live readers who get the very same bytes.

Knows who is in which group, and which groups a commit concerns. Must not know
sockets, formats or stores: an encoding turns a message into bytes, a subscriber
takes them.

Subscribers of one entity that read one scope of it at one granularity in one encoding
form a group. A commit concerns those who read everything, and those who read a part
in which the record was before it or is after it: found by the parts, so that it costs
nothing how many others there are.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Protocol, TypeAlias

from rhtmx.wire import ServerMessage
from rhtmx_server.delivery.direct import SendEach
from rhtmx_server.delivery.outbox import Outbox, write_each
from rhtmx_server.failures import place
from rhtmx_server.model import Commit, Granularity, Scope

__all__ = ["Encoding", "Group", "Groups", "Subscriber", "fell"]

log = logging.getLogger("rhtmx_server")


class Encoding(Protocol):
    """Turns messages into the bytes of one kind of connection.

    Connections that share an encoding object get the very same bytes.
    """

    def frame(self, message: ServerMessage) -> bytes:
        """One message, ready to be written; empty if this kind never gets it."""


class Subscriber(Protocol):
    """Someone who reads live."""

    @property
    def encoding(self) -> Encoding:
        """Who shares this very object shares its frames."""

    @property
    def takes_ephemeral(self) -> bool:
        """Whether it is told what is never stored."""

    @property
    def outbox(self) -> Outbox:
        """Takes its frames, and knows whether it is behind with reading them."""

    def fell(self, entity: str, granularity: Granularity, sent: int) -> None:
        """It was taken out of a live stream, having got everything up to `sent`."""


class Group:
    """Who reads one scope of one entity at one granularity in one encoding."""

    __slots__ = (
        "encoding",
        "entity",
        "ephemeral",
        "frames",
        "granularity",
        "members",
        "scope",
        "sent",
        "size",
    )

    def __init__(
        self, entity: str, granularity: Granularity, encoding: Encoding, scope: Scope, sent: int
    ) -> None:
        self.entity = entity
        self.granularity = granularity
        self.encoding = encoding
        self.scope = scope
        self.sent = sent
        self.members: dict[Subscriber, Outbox] = {}
        self.frames: list[bytes] = []
        self.ephemeral: list[bytes] = []
        self.size = 0

    def add(self, frames: Iterable[bytes], version: int) -> None:
        """Keep the frames of a commit until the end of the tick."""
        if not self.frames:
            # Nothing of what was committed since the last frame was for this group: it has moved
            # on with the others, and nobody had to look at it.
            self.sent = version - 1
        for frame in frames:
            self.frames.append(frame)
            self.size += len(frame)

    def tell(self, frame: bytes) -> None:
        """Keep an ephemeral frame until the end of the tick."""
        self.ephemeral.append(frame)
        self.size += len(frame)

    def flush_ephemeral(self) -> int:
        """Hand the ephemeral frames of this tick to the members; those behind miss them.

        Returns:
            How many deliveries were dropped.
        """
        frames, self.ephemeral = self.ephemeral, []
        joined, dropped = b"".join(frames), 0
        for member, outbox in self.members.items():
            if not member.takes_ephemeral:
                continue
            if outbox.behind:
                dropped += len(frames)
            else:
                outbox.put(joined)
        return dropped

    def flush(self, position: int, send_each: SendEach | None = None) -> int:
        """Hand the frames of this tick to the members; those behind fall out without them.

        Args:
            position: everything up to there is among them.
            send_each: writes to the members at once; for when they get nothing else in this
                tick, so that there is nothing to join the frames with.

        Returns:
            How many deliveries that made.
        """
        # Before anything is handed out: a member that falls in here is told where the group was.
        sent, self.sent = self.sent, position
        frames, self.frames = self.frames, []
        self.size = 0
        if not frames:
            return 0
        # Once for all of them: every outbox gets the same object, and no copy of it.
        joined, outboxes = b"".join(frames), self.members.values()
        others = write_each(outboxes, joined, send_each) if send_each else list(outboxes)
        # Looked at before anything is put: whoever is behind only since then has these frames.
        slow = {outbox for outbox in others if outbox.behind}
        if slow:
            # A list first: they are taken out of what is looked through here.
            for member in [each for each, outbox in self.members.items() if outbox in slow]:
                del self.members[member]
                fell(member, self, sent)
        for outbox in others:
            if outbox not in slow:
                outbox.put(joined)
        return len(self.members) * len(frames)


def fell(member: Subscriber, group: Group, sent: int) -> None:
    """Tell a member that it is out. If it fails at that too, that costs nobody else anything."""
    try:
        member.fell(group.entity, group.granularity, sent)
    except Exception as failure:
        log.error("a subscriber could not be sent back to the store: %s", place(failure))
        member.outbox.drop()  # it comes back and resumes


GroupKey: TypeAlias = tuple[Granularity, Encoding, Scope]

NO_GROUPS: Mapping[Group, None] = {}


class Groups:
    """The groups of one entity, and which of them a commit concerns."""

    __slots__ = ("_all", "_by_part", "_entity", "_whole")

    def __init__(self, entity: str) -> None:
        self._entity = entity
        self._all: dict[GroupKey, Group] = {}
        self._whole: dict[Group, None] = {}
        self._by_part: dict[str, dict[Group, None]] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._all)

    @property
    def all(self) -> Iterable[Group]:
        """Each of them."""
        return self._all.values()

    def find(self, granularity: Granularity, encoding: Encoding, scope: Scope) -> Group | None:
        """The group of those who read this."""
        return self._all.get((granularity, encoding, scope))

    def make(
        self, granularity: Granularity, encoding: Encoding, scope: Scope, position: int
    ) -> Group:
        """Find the group of those who read this, or make it, at a position."""
        key = (granularity, encoding, scope)
        group = self._all.get(key)
        if group is None:
            group = self._all[key] = Group(self._entity, granularity, encoding, scope, position)
            if scope is None:
                self._whole[group] = None
            else:
                for part in scope:
                    self._by_part.setdefault(part, {})[group] = None
        return group

    def concerned(self, commit: Commit) -> Iterable[Group]:
        """Those that read a part in which the record was or is."""
        if not self._by_part:
            return self._whole
        before, after = commit.before, commit.after
        parts = before if before == after else before | after
        if len(parts) == 1 and not self._whole:  # mostly: half of the time of what follows
            (part,) = parts
            return self._by_part.get(part, NO_GROUPS)
        # Each once, in an order: a record may be in several parts of a group's scope.
        concerned = dict(self._whole)
        for part in parts:
            concerned.update(self._by_part.get(part, NO_GROUPS))
        return concerned

    def forget_empty(self, groups: Iterable[Group]) -> None:
        """Let go of those among them that have no members."""
        for group in groups:
            key = (group.granularity, group.encoding, group.scope)
            if group.members or self._all.get(key) is not group:
                continue
            del self._all[key]
            self._whole.pop(group, None)
            for part in group.scope or ():
                of_part = self._by_part[part]
                del of_part[group]
                if not of_part:
                    del self._by_part[part]
