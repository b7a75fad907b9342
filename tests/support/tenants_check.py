"""Checks what users of two tenants were told, and what became of what they wrote. Pure.

Each write carries a word of its own, `~17~`. What is known:

- the rights of each user, as they change: while one changes both are allowed, the old and
  the new ones;
- the words that were in the bytes that were sent to each user, with their rights then;
- the server's history, in which the words are in records, and those in teams;
- what each write was answered.

A word may be told to its author, and to those who have a right to a team in which a record had
it: also later, as answers are sent once more. A write takes effect once: its word comes into its
record once, at the version of its answer. Of a transaction all words come, or none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["Checker", "Entry", "Fate", "WrongError"]

WORD = re.compile(rb"~(\d+)~")
_LONGEST = 12
"""Bytes that the longest word has."""

_AROUND = 400
"""Bytes around a word that are shown of what is wrong."""


class WrongError(AssertionError):
    """Somebody was told what they may not see, or a write was lost or doubled."""


class Entry(NamedTuple):
    """One commit, as the history has it.

    Args:
        entity: the collection.
        entity_id: the record.
        version: its place in the log.
        data: the record after it; `None` if it was deleted.
    """

    entity: str
    entity_id: str
    version: int
    data: Any


@dataclass(slots=True)
class Fate:
    """What is known of a write.

    Attributes:
        author: who wrote it.
        entity: the collection.
        entity_id: the record.
        may_lose: whether it may be accepted and still not be seen: a field that loses.
        version: of its answer; `None` without one.
        rejected: why, if that was the answer.
        stored: whether its author's store has it, so that it may not be lost.
    """

    author: str
    entity: str
    entity_id: str
    may_lose: bool = False
    version: int | None = None
    rejected: str = ""
    stored: bool = False


class _Sighting(NamedTuple):
    """A word that was told.

    Args:
        user: to whom.
        word: which.
        rights: the teams of which they might see records then.
    """

    user: str
    word: int
    rights: frozenset[str]


class Checker:
    """See the head of the file.

    Attributes:
        sightings: how often a word was told to somebody.
        judged: how many of them were judged: the same word, to the same user by the same rights
            counts once.
        fates: the writes, by word.
        heads: up to which version the history is known, by entity.
    """

    def __init__(self) -> None:
        self.sightings = 0
        self.judged = 0
        self.fates: dict[int, Fate] = {}
        self.heads: defaultdict[str, int] = defaultdict(int)
        self._rights: dict[str, frozenset[str]] = {}
        self._tails: dict[int, bytes] = {}
        self._seen: set[_Sighting] = set()
        self._new: list[tuple[_Sighting, bytes]] = []
        self._teams: defaultdict[int, set[str | None]] = defaultdict(set)
        self._came: defaultdict[int, list[int]] = defaultdict(list)
        self._records: dict[tuple[str, str], frozenset[int]] = {}
        self._together: list[frozenset[int]] = []

    # Rights.

    def allow(self, user: str, teams: Collection[str]) -> None:
        """From here on a user may have rights to these, too."""
        self._rights[user] = self._rights.get(user, frozenset()) | frozenset(teams)

    def settle(self, user: str, teams: Collection[str]) -> None:
        """From here on a user has these rights, and no others."""
        self._rights[user] = frozenset(teams)

    # What is told.

    def look(self, user: str, connection: int, data: bytes) -> None:
        """Note the words in what is sent to a user; words may be cut in two."""
        if user not in self._rights:
            return
        said = self._tails.get(connection, b"") + data
        end = 0
        for found in WORD.finditer(said):
            end = found.end()
            self.sightings += 1
            sighting = _Sighting(user, int(found[1]), self._rights[user])
            if sighting not in self._seen:
                self._seen.add(sighting)
                around = said[max(0, found.start() - _AROUND) : found.end() + _AROUND]
                self._new.append((sighting, around))
        self._tails[connection] = said[end:][-_LONGEST:]

    # What is written.

    def writes(self, fate: Fate) -> str:
        """A new write; returns its word."""
        number = len(self.fates) + 1
        self.fates[number] = fate
        return f"~{number}~"

    def together(self, words: Iterable[str | None]) -> None:
        """All of these are written, or none."""
        self._together.append(words_of(list(words)))

    # What the server has.

    def learn(self, entries: Iterable[Entry]) -> None:
        """Take the next commits of the history, in the order of their versions.

        Raises:
            WrongError: there is a hole, or a write has taken effect twice.
        """
        for entry in entries:
            if entry.version != self.heads[entry.entity] + 1:
                raise WrongError(f"{entry} after version {self.heads[entry.entity]}")
            self.heads[entry.entity] = entry.version
            key = entry.entity, entry.entity_id
            words = words_of(entry.data)
            for word in words - self._records.get(key, frozenset()):
                self._come(word, entry)
            for word in words:
                self._teams[word].add(entry.data.get("team"))
            self._records[key] = words

    def _come(self, word: int, entry: Entry) -> None:
        self._came[word].append(entry.version)
        fate = self.fates.get(word)
        if fate is None or (fate.entity, fate.entity_id) != (entry.entity, entry.entity_id):
            raise WrongError(f"{entry} has a word of {fate}")
        if len(self._came[word]) > 1:
            raise WrongError(f"{fate} took effect twice: {self._came[word]}")

    @property
    def unjudged(self) -> int:
        """How many sightings are to be judged."""
        return len(self._new)

    def judge(self, count: int) -> None:
        """Judge the oldest that are to be judged.

        Args:
            count: how many; `learn` has to have got all that was committed before them.

        Raises:
            WrongError: somebody was told what they may not see.
        """
        new, self._new = self._new[:count], self._new[count:]
        for each, around in new:
            self.judged += 1
            fate, teams = self.fates.get(each.word), self._teams.get(each.word, set())
            if fate is not None and fate.author == each.user:
                continue
            if not teams & each.rights:
                raise WrongError(f"may not see it: {each}, {teams}, {fate}, in {around!r}")

    def end(self, rejected: Collection[int]) -> None:
        """Judge all writes, when nothing waits any more.

        Args:
            rejected: the words of what clients still hold as rejected.

        Raises:
            WrongError: one is lost, or was answered otherwise than it went.
        """
        for word, fate in self.fates.items():
            came = self._came.get(word, [])
            if (fate.rejected or word in rejected) and came:
                raise WrongError(f"{word} was rejected, and took effect at {came}: {fate}")
            if fate.version is not None and came and came != [fate.version]:
                raise WrongError(f"{word} took effect at {came}: {fate}")
            answered = fate.rejected or word in rejected or fate.may_lose
            if not came and not answered and (fate.stored or fate.version is not None):
                raise WrongError(f"{word} is lost: {fate}")
        for words in self._together:
            self._require_whole(words)

    def _require_whole(self, words: frozenset[int]) -> None:
        missing = [word for word in words if not self._came.get(word)]
        wrong = [word for word in missing if not self.fates[word].may_lose]
        if wrong and len(missing) < len(words):
            raise WrongError(f"half of a transaction: {wrong[0]} of {sorted(words)} is missing")

    def counts(self) -> str:
        """What was checked, in words."""
        took = len(self._came)
        refused = sum(bool(fate.rejected) for fate in self.fates.values())
        return (
            f"{len(self.fates)} writes with words, {took} took effect, {refused} were rejected; "
            f"{sum(self.heads.values())} commits; {self.sightings} words told, {self.judged} judged"
        )


def words_of(data: Any) -> frozenset[int]:
    """The words in a record, or in what else there is."""
    return frozenset(int(found) for found in WORD.findall(str(data).encode()))
