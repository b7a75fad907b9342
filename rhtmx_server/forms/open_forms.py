"""The forms that clients have open, and when each is to be judged again. Pure.

Knows what was asked about a form last, what its client was told, and which entities have changed
since. Must not know rules, messages, connections or the loop: time is an argument.

A form is remembered if its client has asked for that, for as long as its connection lasts:

=============  ==========  =====================  =========================  =======
state          `ask`       `answered`, `judged`:  `answered`, `judged`:      `moved`
                           nothing has moved      something has since
=============  ==========  =====================  =========================  =======
asked about    asked       quiet                  due                        noted
               about
quiet          asked       -                      -                          due
               about
due            asked       -                      -                          due
               about
judged again   asked       quiet                  due                        noted
               about
=============  ==========  =====================  =========================  =======

`take` has a form judged again that is due. What comes of that counts only if nobody has asked
meanwhile. A form is judged again once in `INTERVAL` at most, and always after the last change: so
its client ends with the verdict that holds. Whoever asks about one field alone does not learn what
has become of the others: what was due, or was dropped because of that question, is due after it.
What could not be judged is due again, each time after twice as long.

`moved` looks at the forms that are quiet, and none is quiet twice: a thousand commits between two
looks at a form are noticed once.
"""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, TypeVar

from rhtmx_server.forms.sections import Section

__all__ = ["INTERVAL", "MOST_FORMS", "OpenForm", "OpenForms"]

V = TypeVar("V")
T = TypeVar("T")

INTERVAL = 1.0
"""Seconds between two looks at one form."""

MOST_FORMS = 32
"""Forms of one connection that are remembered: then that goes which was asked about first."""

_MOST_DOUBLED = 6
"""So often the time is doubled after which that is tried again which could not be judged."""

_MOST_BYTES = 64 * 1024
_STALE = -1
"""How often an entity had moved for a form that has missed something."""

_HELD = -1
"""The place of a form that waits for another one of its owner."""


@dataclass(slots=True, eq=False)
class OpenForm(Generic[V, T]):
    """A form that a client has open.

    Args:
        owner: the connection.
        key: which of its forms.
        values: what the client has entered.
        size: about how many bytes those are.

    Attributes:
        told: the last verdict on each section of which something was told.
        reads: the entities by which those are judged.
        asked: how many questions about it are under way.
        question: the number of the last one.
        whole: the number of the last one about all of it.
        not_before: the earliest time of the next look.
        due: the number of its place in the line; `None` if it is not due.
        is_judged: it is judged again just now.
        is_gone: it is not remembered any more.
        seen: how often each entity had moved when it was judged last.
        failures: how often in a row it could not be judged.
    """

    owner: Hashable
    key: Hashable
    values: V
    size: int
    told: dict[Section, T] = field(default_factory=dict)
    reads: set[str] = field(default_factory=set)
    asked: int = 0
    question: int = 0
    whole: int = 0
    not_before: float = 0.0
    due: int | None = None
    is_judged: bool = False
    is_gone: bool = False
    seen: dict[str, int] = field(default_factory=dict)
    failures: int = 0


class OpenForms(Generic[V, T]):
    """All forms that are open.

    Args:
        most_bytes: of values, of one connection.

    Attributes:
        readers: how many forms are judged by an entity; of those by which some are.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._forms: dict[Hashable, OrderedDict[Hashable, OpenForm[V, T]]] = {}
        self._moves = Counter[str]()
        self.readers = Counter[str]()
        self._quiet: dict[str, dict[OpenForm[V, T], None]] = {}
        self._due: list[tuple[float, int, OpenForm[V, T]]] = []
        self._order = count()
        self._judged: set[Hashable] = set()
        self._held: dict[Hashable, list[OpenForm[V, T]]] = {}

    def get(self, owner: Hashable, key: Hashable) -> OpenForm[V, T] | None:
        """A form that is remembered."""
        forms = self._forms.get(owner)
        return None if forms is None else forms.get(key)

    def ask(
        self,
        owner: Hashable,
        key: Hashable,
        values: V,
        size: int,
        reads: Collection[str],
        only: Section | None = None,
    ) -> OpenForm[V, T] | None:
        """A client asks about a form: remember what it has entered. `answered` has to follow.

        Args:
            owner: the connection.
            key: which of its forms.
            values: what it has entered.
            size: about how many bytes those are.
            reads: the entities by which that is judged of which it asks; none: it is remembered
                only if it was before.
            only: what it asks about; `None` for all of it.

        Returns:
            The form; `None`: it is not remembered, as it is too large or nothing is read for it.
        """
        form = self.get(owner, key)
        if form is None and not reads:
            return None
        if size > self._most_bytes:
            self.close(owner, key)
            return None
        if form is None:
            form = OpenForm(owner, key, values, size)
            self._forms.setdefault(owner, OrderedDict())[key] = form
        form.values, form.size = values, size
        self._unquiet(form)
        is_all = only is None or form.told.keys() <= {only}
        if form.is_judged and not is_all:
            self._miss(form)  # what comes of that is not told, nor what this asks about
        self.readers.update(each for each in reads if each not in form.reads)
        form.reads.update(reads)
        form.asked += 1
        form.question += 1
        if only is None:
            form.whole = form.question
        form.due, form.failures = None, 0  # if it missed something, it is due again once answered
        if form.asked == 1 and is_all:
            form.seen = {each: self._moves[each] for each in form.reads}
        else:  # of what is read since the first of them, too
            form.seen = {each: form.seen.get(each, self._moves[each]) for each in form.reads}
        forms = self._forms[owner]
        forms.move_to_end(key)
        self._make_room(forms)
        return form

    def answered(
        self, form: OpenForm[V, T], question: int, told: Mapping[Section, T] | None, now: float
    ) -> None:
        """A question is answered, or has failed.

        What one about a field has found does not count if all was asked about since: its client
        has changed the form in between, and passes over that answer.

        Args:
            form: what `ask` returned.
            question: its number then.
            told: the verdicts that are to be remembered; `None`: there are none, of what all was
                asked about.
            now: seconds, of a clock that does not jump.
        """
        form.asked -= 1
        if told is None:
            self._miss(form)
        elif question >= form.whole:
            form.told.update(told)
        if not form.asked:
            self._settle(form, now)

    def moved(self, entities: Collection[str], now: float) -> bool:
        """Records of entities have changed; whether a form is due because of that."""
        found = False
        for entity in entities:
            if entity not in self.readers:
                continue  # the names of all entities would be more and more
            self._moves[entity] += 1
            for form in [*self._quiet.get(entity, ())]:
                self._unquiet(form)
                self._put(form, now)
                found = True
        return found

    @property
    def deadline(self) -> float | None:
        """When the next form is due; `None` for never."""
        while self._due and self._due[0][2].due != self._due[0][1]:
            heapq.heappop(self._due)  # it is not due any more, or has another place
        return self._due[0][0] if self._due else None

    def take(self, now: float) -> OpenForm[V, T] | None:
        """A form to be judged again now; `judged` has to follow. One at a time of each owner."""
        while (at := self.deadline) is not None and at <= now:
            _, _, form = heapq.heappop(self._due)
            if form.owner in self._judged:
                form.due = _HELD
                self._held.setdefault(form.owner, []).append(form)
                continue
            self._judged.add(form.owner)
            form.due, form.is_judged = None, True
            form.not_before = now + INTERVAL
            form.seen = {each: self._moves[each] for each in form.reads}
            return form
        return None

    def judged(
        self,
        form: OpenForm[V, T],
        question: int,
        verdicts: Mapping[Section, T],
        now: float,
        *,
        failed: bool = False,
    ) -> dict[Section, T]:
        """A form was judged again, or could not be.

        Args:
            form: what `take` returned.
            question: its number then.
            verdicts: on its sections.
            now: seconds.
            failed: some of them could not be judged.

        Returns:
            What its client has to be told: the verdicts that are other ones.
        """
        self._judged.discard(form.owner)
        for held in self._held.pop(form.owner, ()):
            if held.due == _HELD:
                self._put(held, now)
        form.is_judged = False
        if form.is_gone or question != form.question:
            if not form.asked:
                self._settle(form, now)
            return {}
        changed = {name: told for name, told in verdicts.items() if form.told.get(name) != told}
        form.told.update(changed)
        form.failures = form.failures + 1 if failed else 0
        if failed:
            self._miss(form)
            pause = INTERVAL * 2 ** min(form.failures, _MOST_DOUBLED)
            form.not_before = max(form.not_before, now + pause)
        self._settle(form, now)
        return changed

    def close(self, owner: Hashable, key: Hashable) -> None:
        """Forget a form."""
        forms = self._forms.get(owner)
        form = forms.pop(key, None) if forms else None
        if form is not None:
            self._end(form)
        if forms is not None and not forms:
            del self._forms[owner]

    def forget(self, owner: Hashable) -> None:
        """Forget all forms of a connection."""
        for form in self._forms.pop(owner, {}).values():
            self._end(form)

    # Inside.

    def _settle(self, form: OpenForm[V, T], now: float) -> None:
        if form.is_gone or form.due is not None or form.is_judged:
            return
        missed = any(self._moves[each] != form.seen.get(each) for each in form.reads)
        if missed and form.told:
            self._put(form, now)
        else:
            for each in form.reads:
                self._quiet.setdefault(each, {})[form] = None

    def _miss(self, form: OpenForm[V, T]) -> None:
        form.seen = dict.fromkeys(form.reads, _STALE)

    def _put(self, form: OpenForm[V, T], now: float) -> None:
        form.due = next(self._order)
        heapq.heappush(self._due, (max(now, form.not_before), form.due, form))

    def _unquiet(self, form: OpenForm[V, T]) -> None:
        for each in form.reads:
            quiet = self._quiet.get(each)
            if quiet is not None and quiet.pop(form, form) is None and not quiet:
                del self._quiet[each]

    def _make_room(self, forms: OrderedDict[Hashable, OpenForm[V, T]]) -> None:
        size = sum(each.size for each in forms.values())
        while size > self._most_bytes or len(forms) > MOST_FORMS:
            _, oldest = forms.popitem(last=False)
            size -= oldest.size
            self._end(oldest)

    def _end(self, form: OpenForm[V, T]) -> None:
        form.is_gone, form.due = True, None
        self._unquiet(form)
        for each in form.reads:
            self.readers[each] -= 1
            if not self.readers[each]:
                del self.readers[each], self._moves[each]
