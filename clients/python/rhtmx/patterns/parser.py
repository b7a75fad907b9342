"""Reads a pattern in the syntax of RE2: https://github.com/google/re2/wiki/Syntax.

Knows groups, flags, repeats and places. Must not know what becomes of them.
"""

from __future__ import annotations

from string import ascii_letters, digits

from rhtmx.patterns.brackets import brackets
from rhtmx.patterns.escapes import character, in_case, several
from rhtmx.patterns.problems import Effort, PatternError
from rhtmx.patterns.properties import NEWLINE
from rhtmx.patterns.ranges import EVERY, complement, single
from rhtmx.patterns.scanner import Scanner
from rhtmx.patterns.tree import Characters, Choice, Node, Place, PlaceKind, Repeat, Sequence

__all__ = ["MAX_HEIGHT", "MAX_REPEATS", "MAX_STEPS", "MAX_TEXT", "parse"]

MAX_TEXT = 65_536
"""Characters that a pattern may have."""

MAX_REPEATS = 1000
"""What counted repeats may come to, one inside the other, as in RE2."""

MAX_STEPS = 20_000
"""How much a pattern may come to, all of its repeats written out."""

MAX_HEIGHT = 200
"""How deep a pattern may be nested."""

_MAX_GROUPS = 60  # one inside the other: a few calls each
_NAME = frozenset(ascii_letters + digits + "_")
_BEYOND = {
    "(?=": "look ahead",
    "(?!": "look ahead",
    "(?<=": "look behind",
    "(?<!": "look behind",
    "(?P=": "ask for what a group has matched",
    "(?(": "depend on whether a group has matched",
}
_OTHERS = {
    "(?>": "atomic groups are unknown, and nothing needs them: write (?:",
    "(?#": "comments are unknown",
}
_PLACES = {
    "\\A": PlaceKind.TEXT_START,
    "\\z": PlaceKind.TEXT_END,
    "\\b": PlaceKind.WORD_EDGE,
    "\\B": PlaceKind.NO_WORD_EDGE,
}
_FLAGS = {
    "x": "the flag x is unknown: write the pattern without space and comments",
    "a": "the flag a is unknown, and \\w, \\d and \\s are ASCII without it",
    "u": "the flag u is unknown: write \\p{L} for letters and \\p{Nd} for digits of all languages",
    "L": "the flag L is unknown",
}


def parse(text: str, flags: str = "", effort: Effort | None = None) -> Node:
    """Read a pattern.

    Args:
        text: the pattern.
        flags: those that hold from the beginning, of `i`, `m`, `s` and `U`.
        effort: counts what it costs.

    Raises:
        PatternError: it is none, with the reason and the place.
    """
    if len(text) > MAX_TEXT:
        raise PatternError(f"the pattern has {len(text)} characters, {MAX_TEXT} are allowed")
    return _Parser(Scanner(text, effort or Effort()), frozenset(flags)).whole()


class _Parser:
    """Reads one pattern."""

    def __init__(self, scanner: Scanner, flags: frozenset[str]) -> None:
        self._scanner = scanner
        self._flags = flags
        self._groups: list[int] = []
        self._names: set[str] = set()

    def whole(self) -> Node:
        """Read all of it."""
        node = self._choice()
        if not self._scanner.done():
            raise self._scanner.error("a ) without a (: write \\) for the character")
        return node

    def _choice(self) -> Node:
        start = self._scanner.at
        items = [self._sequence()]
        while self._scanner.accept("|"):
            items.append(self._sequence())
        return self._fits(Choice(tuple(items)), start) if len(items) > 1 else items[0]

    def _sequence(self) -> Node:
        scanner, start = self._scanner, self._scanner.at
        items: list[Node] = []
        repeated = False  # what comes before is a repeat, which nothing repeats
        while scanner.peek() not in ("", "|", ")"):
            scanner.effort.spend(1)
            at = scanner.at
            times = self._times()
            if times is None:
                items += self._next()
            elif repeated:
                raise scanner.error("a repeat of a repeat: write (?:…) around the first", at)
            elif not items:
                raise scanner.error("nothing to repeat: write a backslash for the character", at)
            else:
                items[-1] = self._repeat(items[-1], times, at)
            repeated = times is not None
        return self._fits(Sequence(tuple(items)), start) if len(items) != 1 else items[0]

    def _fits(self, node: Node, at: int) -> Node:
        if node.size.steps > MAX_STEPS:
            raise self._scanner.error(
                f"the pattern is too large: about {node.size.steps} steps with all repeats "
                f"written out, {MAX_STEPS} are allowed",
                at,
            )
        if node.size.height > MAX_HEIGHT:
            raise self._scanner.error("the pattern is nested too deep", at)
        return node

    # Repeats.

    def _times(self) -> tuple[int, int | None, bool] | None:
        """Read how often something is repeated, least and most; `None` if nothing such comes."""
        scanner = self._scanner
        found = {"*": (0, None, False), "+": (1, None, False), "?": (0, 1, False)}.get(
            scanner.peek()
        )
        if found is not None:
            scanner.at += 1
        elif scanner.peek() == "{":
            found = self._counted()
        if found is not None:
            scanner.accept("?")  # lazy, which changes nothing of what matches
        return found

    def _counted(self) -> tuple[int, int | None, bool] | None:
        """Read `{2}`, `{2,}` or `{2,5}`; anything else in braces stands for itself."""
        scanner, start = self._scanner, self._scanner.at
        scanner.at += 1
        least = scanner.digits()
        comma = scanner.accept(",")
        most = scanner.digits() if comma else least
        closed = scanner.accept("}")
        if closed and comma and most and not least:
            raise scanner.error(f"{{,{most}}} is no repeat: write {{0,{most}}}", start)
        numbers = [each for each in (least, most) if each]
        if not closed or not least or any(each[0] == "0" != each for each in numbers):
            scanner.at = start
            return None
        if any(len(each) > 4 or int(each) > MAX_REPEATS for each in numbers):
            raise scanner.error(f"a repeat is at most {MAX_REPEATS} times", start)
        if most and int(most) < int(least):
            raise scanner.error("a repeat has the lower number first", start)
        return (int(least), int(most) if most else None, True)

    def _repeat(self, item: Node, times: tuple[int, int | None, bool], at: int) -> Node:
        least, most, counted = times
        node = Repeat(item, least, most, counted)
        if counted and max(least, most or 0) > 1 and node.size.repeats > MAX_REPEATS:
            raise self._scanner.error(
                f"repeats in one another come to {node.size.repeats}, {MAX_REPEATS} are allowed", at
            )
        return self._fits(node, at)

    # What may be repeated.

    def _next(self) -> list[Node]:
        """Read the next part; flags and an empty quotation are none."""
        scanner = self._scanner
        if scanner.peek() == "(":
            return self._group()
        if scanner.peek() == "\\":
            return self._escape()
        return [self._plain(scanner.take())]

    def _plain(self, letter: str) -> Node:
        match letter:
            case "[":
                return Characters(brackets(self._scanner, self._flags))
            case ".":
                return Characters(EVERY if "s" in self._flags else complement(NEWLINE))
            case "^":
                lines = "m" in self._flags
                return Place(PlaceKind.LINE_START if lines else PlaceKind.TEXT_START)
            case "$":
                lines = "m" in self._flags
                return Place(PlaceKind.LINE_END if lines else PlaceKind.TEXT_END)
        return self._literal(ord(letter))

    def _literal(self, code_point: int) -> Node:
        return Characters(in_case(single(code_point), self._scanner, self._flags))

    def _escape(self) -> list[Node]:
        scanner = self._scanner
        for words, place in _PLACES.items():
            if scanner.accept(words):
                return [Place(place)]
        if scanner.accept("\\Q"):
            return self._quotation()
        found = several(scanner, self._flags)
        if found is not None:
            return [Characters(found)]
        return [self._literal(character(scanner))]

    def _quotation(self) -> list[Node]:
        quoted = self._scanner.find("\\E")
        if quoted is None:
            quoted = self._scanner.rest()
        self._scanner.at += len(quoted)
        self._scanner.accept("\\E")
        return [self._literal(ord(each)) for each in quoted]

    # Groups and flags.

    def _group(self) -> list[Node]:
        scanner, start, outer = self._scanner, self._scanner.at, self._flags
        if len(self._groups) == _MAX_GROUPS:
            raise scanner.error(f"more than {_MAX_GROUPS} groups in one another")
        if not self._opens(start):
            return []
        self._groups.append(start)
        node = self._choice()
        if not scanner.accept(")"):
            raise scanner.error(") is missing", start)
        self._groups.pop()
        self._flags = outer
        return [node]

    def _opens(self, start: int) -> bool:
        """Read how a group begins; false if it has flags only, for the rest of the outer one."""
        scanner = self._scanner
        for words, what in _BEYOND.items():
            if scanner.accept(words):
                raise scanner.cannot(what, start)
        for words, reason in _OTHERS.items():
            if scanner.accept(words):
                raise scanner.error(reason, start)
        if not scanner.accept("(?"):
            scanner.at += 1
            return True
        if scanner.accept("P<") or scanner.accept("<"):
            self._name(start)
            return True
        return self._turn_flags(start)

    def _name(self, start: int) -> None:
        name = self._scanner.find(">")
        if not name or not _NAME.issuperset(name):
            raise self._scanner.error("a group's name has letters, digits and _ only", start)
        if name in self._names:
            raise self._scanner.error(f"two groups are called {name[:40]}", start)
        self._names.add(name)
        self._scanner.at += len(name) + 1

    def _turn_flags(self, start: int) -> bool:
        scanner = self._scanner
        on, off = self._letters(), None
        if scanner.accept("-"):
            off = self._letters()
        end = scanner.take()
        if end in _FLAGS:
            raise scanner.error(_FLAGS[end], start)
        if end not in (":", ")") or off == "":
            raise scanner.error("unknown after (?: the flags are i, m, s and U", start)
        self._flags = (self._flags | frozenset(on)) - frozenset(off or "")
        return end == ":"

    def _letters(self) -> str:
        found = ""
        while self._scanner.peek() and self._scanner.peek() in "imsU":
            found += self._scanner.take()
        return found
