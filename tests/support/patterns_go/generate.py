"""Random patterns of RE2's syntax, and texts that they are likely to match."""

from __future__ import annotations

from functools import cache
from random import Random

from rhtmx.patterns.folding import folded
from rhtmx.patterns.problems import Effort
from rhtmx.patterns.ranges import Ranges
from rhtmx.patterns.tree import Characters, Choice, Node, Place, Repeat, Sequence

__all__ = ["PROPERTIES", "pattern", "texts"]

LETTERS = (
    "aabbckKsSxyzZ019_- \n\t."
    "\u00e9\u00c9\u00df\u1e9e\u017f\u212a\u03c3\u03c2\u03a3\u00b5\u03bc\u039c\u03a9\u03c9"
    "\u2126\u00e5\u00c5\u212b\u01c6\u01c5\u01c4\u0131\u0130\u0069\u0345\u03b9\u03b8\u03d1"
    "\ufb05\ua64b\u1c88\U00010400\U00010428\u4e2d\u6587\U0001f642"
    "\x1c\x85\xa0\u2028\ufeff"
)
"""What differs in case in odd ways, ends a line for some, or is space for some."""

_PLAIN = [each for each in LETTERS if each not in "."]
_POSIX = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
]  # fmt: skip
PROPERTIES = [
    "L", "Lu", "Ll", "Lt", "N", "Nd", "P", "S", "Z", "Zs", "M", "Cc", "Cf", "Any",
    "Greek", "Latin", "Cyrillic", "Han", "Common", "Inherited",
]  # fmt: skip
_ESCAPES = [
    "\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\t", "\\n", "\\r", "\\f", "\\v", "\\a", "\\.",
    "\\-", "\\\\", "\\]", "\\_", "\\x41", "\\x{3c3}", "\\x{1F642}", "\\0", "\\141", "\\x0A",
    "\\x{212a}",
]  # fmt: skip
_PLACES = ["^", "$", "\\A", "\\z", "\\b", "\\B"]
_REPEATS = ["*", "+", "?", "{2}", "{0}", "{1,}", "{0,2}", "{2,4}", "{3,}", "{0,}", "{1}"]
_ODD = [
    "{",
    "}",
    "]",
    "{2",
    "{,2",
    "{a}",
    "{2,a}",
    "\\Qa.b\\E",
    "\\Q*",
    "\\Q\\E",
    "-",
    "{01}",
    "{1,02}",
]
_FLAGS = ["i", "s", "m", "U", "is", "im", "ims", "-i", "i-s", "s-i", "-ms", "U-i"]
_BROKEN = [
    "(", ")", "[", "*", "++", "(?=", "(?!a)", "(?<!a)", "\\1", "\\C", "\\Z", "\\8", "\\y", "{1001}",
    "{3,2}", "[b-a]", "[[:nope:]]", "\\p{Nope}", "\\x{110000}", "\\xg0", "\\x4", "(?x)", "(?P<a>",
    "(?<1a>b)", "(?P<>a)", "[a-\\d]", "[\\b]", "\\", "\\é", "{1000}{2}", "(?-)", "(?i-)", "(?)",
    "x**", "(?:a{50}){50}", "\\pX", "\\p", "[\\pL", "[a", "[]", "[^]", "(?P<n>a)(?P<n>b)", "(?P=n)",
    "[:alpha:]", "[[:alpha:]", "[[.a.]]", "\\p{^Greek}", "\\P{^L}", "[z-\\x41]", "(?i", "\\x{",
    "\\x{}",
]  # fmt: skip


def pattern(random: Random) -> str:
    """A pattern; one of ten is likely to be none."""
    made = _choice(random, 3)
    if random.random() < 0.4:
        made = f"^(?:{made})$" if random.random() < 0.6 else f"^{made}$"
    if random.random() < 0.2:
        made = f"(?{random.choice(_FLAGS)}){made}"
    if random.random() < 0.1:
        at = random.randrange(len(made) + 1)
        broken = random.choice(_BROKEN) if random.random() < 0.7 else ""
        made = made[:at] + broken + made[at + (not broken) :]
    return made


def _choice(random: Random, depth: int) -> str:
    count = 1 if random.random() < 0.7 else random.randint(2, 4)
    return "|".join(_sequence(random, depth) for _ in range(count))


def _sequence(random: Random, depth: int) -> str:
    return "".join(_item(random, depth) for _ in range(random.choice([0, 1, 1, 2, 2, 3, 4, 6])))


def _item(random: Random, depth: int) -> str:
    kind = random.random()
    if kind < 0.06:
        return random.choice(_PLACES)
    if kind < 0.09:
        return random.choice(_ODD)
    if kind < 0.12:
        return f"(?{random.choice(_FLAGS)})"
    made = _atom(random, depth)
    if random.random() < 0.35:
        made += random.choice(_REPEATS) + ("?" if random.random() < 0.2 else "")
    return made


def _atom(random: Random, depth: int) -> str:
    kind = random.random()
    if kind < 0.25 and depth:
        opening = random.choice(
            [
                "(",
                "(?:",
                "(?:",
                "(?i:",
                "(?s:",
                "(?m:",
                "(?-i:",
                "(?U:",
                f"(?P<g{random.randrange(10**6)}>",
            ]
        )
        return f"{opening}{_choice(random, depth - 1)})"
    if kind < 0.45:
        return _brackets(random)
    if kind < 0.55:
        return random.choice(_ESCAPES)
    if kind < 0.6:
        return _property(random)
    if kind < 0.66:
        return "."
    return _literal(random)


def _literal(random: Random) -> str:
    return random.choice(_PLAIN)


def _property(random: Random) -> str:
    name = random.choice(PROPERTIES)
    p = random.choice("ppP")
    if len(name) == 1 and random.random() < 0.5:
        return f"\\{p}{name}"
    return f"\\{p}{{{'^' if random.random() < 0.1 else ''}{name}}}"


def _brackets(random: Random) -> str:
    parts = []
    for _ in range(random.choice([1, 1, 2, 3, 4])):
        kind = random.random()
        if kind < 0.35:
            first, last = sorted([random.choice(_PLAIN), random.choice(_PLAIN)])
            if "-" not in (first, last):
                parts.append(f"{first}-{last}")
        elif kind < 0.6:
            parts.append(_literal(random))
        elif kind < 0.75:
            parts.append(random.choice(_ESCAPES))
        elif kind < 0.85:
            negative = "^" if random.random() < 0.3 else ""
            parts.append(f"[:{negative}{random.choice(_POSIX)}:]")
        elif kind < 0.93:
            parts.append(_property(random))
        else:
            parts.append(random.choice(["]", "-", "^", "[", "a-", "\\Q"[:1] + "]"]))
    return f"[{'^' if random.random() < 0.3 else ''}{''.join(parts) or 'a'}]"


def texts(random: Random, node: Node | None, count: int) -> list[str]:
    """Texts that are likely to match, or nearly.

    Args:
        random: says which.
        node: the pattern as a tree; `None`: there is none, any text will do.
        count: how many.
    """
    return [_text(random, node) for _ in range(count)]


def _text(random: Random, node: Node | None) -> str:
    made = "" if node is None else _sample(random, node, 40)
    kind = random.random()
    if node is None or kind < 0.1:
        made = "".join(random.choice(LETTERS) for _ in range(random.randrange(8)))
    elif kind < 0.3:
        made = _changed(random, made)
    elif kind < 0.4:
        made = "".join(_other_case(random, each) for each in made)
    elif kind < 0.55:
        made = random.choice(LETTERS) + made
    elif kind < 0.7:
        made += random.choice(LETTERS)
    return made


def _changed(random: Random, text: str) -> str:
    at = random.randrange(len(text) + 1)
    instead = random.choice(["", random.choice(LETTERS)])
    return text[:at] + instead + text[at + random.choice([0, 1]) :]


def _other_case(random: Random, letter: str) -> str:
    point = ord(letter)
    same = [each for first, last in folded(((point, point),), Effort()) for each in (first, last)]
    return chr(random.choice(same))


def _sample(random: Random, node: Node, room: int) -> str:
    match node:
        case Characters(ranges):
            return _character(random, ranges) if ranges else ""
        case Place():
            return random.choice(["", "", "", "\n", " "]) if random.random() < 0.2 else ""
        case Sequence():
            return "".join(_sample(random, each, room) for each in node.items)
        case Choice():
            return _sample(random, random.choice(node.items), room)
        case Repeat():
            most = node.least + 3 if node.most is None else node.most
            times = min(random.randint(node.least, most), max(room, 0))
            return "".join(_sample(random, node.item, room // 4) for _ in range(times))


def _character(random: Random, ranges: Ranges) -> str:
    known = _known(ranges)
    if known and random.random() < 0.6:
        return random.choice(known)
    first, last = random.choice(ranges)
    point = random.choice([first, last, random.randint(first, last)])
    return "x" if 0xD800 <= point <= 0xDFFF else chr(point)


@cache
def _known(ranges: Ranges) -> list[str]:
    return [each for each in LETTERS if any(a <= ord(each) <= b for a, b in ranges)]
