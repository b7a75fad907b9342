"""One reader's place in the log of one entity.

Knows versions. Must not know streams, connections or clocks.

Two marks, because they are two questions. `position` is where to *resume*: it
moves only to where nothing can be missing. What was *delivered* goes further,
and is not delivered again when reading resumes before it. They part in two
places:

- in a commit of several fields, until the last of them is there;
- while catching up from a position: only at the end does the server say whether
  that position could be resumed. A reader cut off in the middle that came back
  with a later one would never hear of it.

One thing is taken on trust: that a server remembers deletions for longer than a
first load is interrupted. From version 0 everything can be resumed, so nothing
would tell that a record of the first half was deleted, and that forgotten.
"""

from __future__ import annotations

from typing import TypeAlias

from rhtmx.core.where import Where
from rhtmx.messages import ChangeLog, FieldChangeLog, Position
from rhtmx.values.progress import Progress

__all__ = ["Cursor", "Log", "together"]

Log: TypeAlias = ChangeLog | FieldChangeLog
"""One change of either kind."""


class Cursor:
    """One reader of one entity.

    Args:
        since: where to start; without it, at the next change.
        ends: it reads until it has caught up, and no longer.
        where: the part of the entity that it reads; all of it, if left out.
        tolerant: it takes the changes of several parts in any order, as a replica does.

    Attributes:
        position: where to resume; `None` until that is known.
        delivered: the last version of which everything was delivered.
        begun: it has been reading at some time.
        reading: it gets what the stream gets.
        paused: it does not want to.
        checked: on this connection, the server has said that it may go on from
            its position.
        scope: what may be read of its part: a position counts in that alone.
        leaving: it reads no more, but the server may not have heard of that yet.
        head: the version up to which it reads, where the server has said that this is far.
    """

    __slots__ = (
        "_at",
        "_fields",
        "_holding",
        "begun",
        "checked",
        "delivered",
        "ends",
        "head",
        "leaving",
        "paused",
        "position",
        "reading",
        "scope",
        "tolerant",
        "where",
    )

    def __init__(
        self,
        since: Position | None = None,
        *,
        ends: bool = False,
        where: Where | None = None,
        tolerant: bool = False,
    ) -> None:
        self.position = since
        self.ends = ends
        self.where = where
        self.tolerant = tolerant
        self.scope = None if since is None else since.scope
        self.delivered = since.version if since else 0
        self.begun = False
        self.reading = False
        self.paused = False
        self.checked = False
        self.leaving = False
        self.head: int | None = None
        self._at = 0
        self._fields: set[str] = set()
        self._holding = False

    def begin(self, *, holding: bool) -> None:
        """The stream starts for this reader.

        Args:
            holding: from a position that may turn out not to be resumable.
        """
        self.begun = self.reading = True
        self._holding = holding

    def enter(self, scope: str | None) -> None:
        """What comes now is read from the beginning, and belongs to this scope."""
        self.scope = scope
        if self.position is not None and not self.position.version:
            self.position = Position(epoch=self.position.epoch, version=0, scope=scope)

    def accept(self, log: Log, epoch: str) -> bool:
        """Take note of a change; returns whether it is to be delivered."""
        version = log.version
        if version <= self.delivered:
            return False
        if version != self._at:
            # Versions come in order, so all there is of those before has come.
            self.delivered = version - 1
            self._at = version
            self._fields.clear()
        field, more = _part(log)
        fresh = field not in self._fields
        self._fields.add(field)
        if not more:
            self.delivered = version
            if not self._holding:
                self.position = Position(epoch=epoch, version=version, scope=self.scope)
        return fresh

    def moved(self, version: int) -> bool:
        """Everything up to `version` has arrived, by any stream; returns whether it is news."""
        if self.position is None or self._holding or version <= self.position.version:
            return False
        self.position = Position(epoch=self.position.epoch, version=version, scope=self.scope)
        self.delivered = max(self.delivered, version)
        return True

    def synced(self, position: Position) -> None:
        """Everything up to `position` has arrived."""
        self.position = position
        self.scope = position.scope
        self.delivered = position.version
        self.reading = self.begun = self.checked = True
        self.head = None
        self._holding = False
        self._fields.clear()

    @property
    def progress(self) -> Progress | None:
        """How far a long load is; `None`: none is under way, as far as the server has said."""
        if self.head is None:
            return None
        return Progress(min(self.delivered, self.head), self.head)

    @property
    def wants_head(self) -> bool:
        """It waits for the next change, and has missed none."""
        return self.position is None and not self.begun and not self.paused

    def leave(self) -> None:
        """The stream goes on without this reader."""
        self.reading = self.checked = False
        self.head = None

    def rewind(self, position: Position) -> None:
        """Read on from an earlier position: what was delivered since has not been taken."""
        self.position, self.delivered, self.scope = position, position.version, position.scope
        self.cut()

    def cut(self) -> None:
        """What has come of an unfinished commit does not count: it comes again."""
        self._at = 0
        self._fields.clear()

    def restart(self, epoch: str, scope: str | None = None) -> Position:
        """Forget what was delivered; returns the position before everything.

        Args:
            epoch: of the log that is read now.
            scope: of what comes now, if it is known.
        """
        position = self.position = Position(epoch=epoch, version=0, scope=scope)
        self.delivered = 0
        self.scope = scope
        self.cut()
        self._holding = False
        return position


def together(active: list[Cursor]) -> list[Cursor]:
    """Which of the readers can start together; the others are brought in later.

    Those who want the next change only need no past, so they join those who do.
    Those who want everything would hide from the server the position of one
    that has to be checked, so that one goes first.
    """
    placed = [each for each in active if each.position is not None]
    unchecked = [each for each in placed if each.position and each.position.version]
    if all(each.checked for each in unchecked):
        return placed or active
    # A position counts in its scope only, and one start can name one scope.
    scope = next(each.scope for each in unchecked if not each.checked)
    return [each for each in unchecked if each.scope == scope]


def _part(log: Log) -> tuple[str, bool]:
    """Which part of its commit a change is, and whether more of them follow."""
    if isinstance(log, FieldChangeLog):
        return log.field, bool(log.more)
    return "", False
