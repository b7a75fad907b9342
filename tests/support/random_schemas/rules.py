"""Random rules of `buf.validate`, with values that nearly break them.

Knows which rules each kind of value has, and which arguments of them are sensible, and silly.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from tests.support.cel_expressions import TEXTS
from tests.support.format_judges import changed
from tests.support.random_schemas.texts import ENUMS, Rule, quoted

__all__ = ["BYTES", "RANGES", "SECOND", "constant", "list_rules", "map_rules", "value_rules"]

_VECTORS = Path(__file__).parents[2] / "vectors"
SECOND = 1_000_000_000
RANGES = {
    **dict.fromkeys(("int32", "sint32", "sfixed32", "enum"), (-(2**31), 2**31 - 1)),
    **dict.fromkeys(("uint32", "fixed32"), (0, 2**32 - 1)),
    **dict.fromkeys(("int64", "sint64", "sfixed64"), (-(2**63), 2**63 - 1)),
    **dict.fromkeys(("uint64", "fixed64"), (0, 2**64 - 1)),
}
"""The kinds of whole numbers, each with its least and its greatest."""

_WHOLE = (0, 1, -1, 2, 3, 7, 10, 100, 1000, 2**31, 2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1)
_DOUBLES = (0.0, -0.0, 1.0, -1.0, 0.1, 0.3, 1 / 3, 2.5, 1e6, 16777217.0, 1e-7, 3.4e38, 5e-324)
BYTES = (b"", b"a", b"ab", b"\x00", b"\xff", b"\xc3\xa9", b"abab", bytes(4), bytes(16), b"x" * 15)
"""Some bytes."""

_LONGEST = 292 * 365 * 24 * 3600
"""Seconds of a duration that all judges can count with."""
FIRST_TIME, LAST_TIME = -62135596800 * SECOND, 253402300800 * SECOND - 1
_TIMES = (0, 1, -1, SECOND, 1_700_000_000_123_456_789, FIRST_TIME, LAST_TIME, 951782400 * SECOND)
_SPANS = (
    0,
    1,
    -1,
    SECOND,
    -SECOND,
    1_500_000_000,
    3600 * SECOND,
    -5400 * SECOND,
    _LONGEST * SECOND,
)
_MASKS: tuple[list[str], ...] = (["a"], ["a.b"], ["a", "b"], [], ["ab"], ["a.b.c", "b"])

_FORMS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "email": ("is_email", ()),
    "hostname": ("is_hostname", ()),
    "ip": ("is_ip", ()),
    "ipv4": ("is_ip", ()),
    "ipv6": ("is_ip", ()),
    "uri": ("is_uri", ()),
    "uri_ref": ("is_uri_ref", ()),
    "address": ("is_address", ()),
    "uuid": ("is_uuid", ()),
    "tuuid": ("is_tuuid", ()),
    "ulid": ("is_ulid", ()),
    "ip_with_prefixlen": ("is_ip_prefix", ()),
    "ipv4_with_prefixlen": ("is_ip_prefix", ()),
    "ipv6_with_prefixlen": ("is_ip_prefix", ()),
    "ip_prefix": ("is_ip_prefix", ()),
    "ipv4_prefix": ("is_ip_prefix", ()),
    "ipv6_prefix": ("is_ip_prefix", ()),
    "host_and_port": ("is_host_and_port", ()),
    "protobuf_fqn": ("is_protobuf_fqn", ()),
    "protobuf_dot_fqn": ("is_protobuf_dot_fqn", ()),
}
_SAMPLE_OF_HEADER = {"NAME": "is_header_name", "VALUE": "is_header_value"}
# RFC 6874 has a zone in an IPv6 address only: see `format_judges`.
_KNOWN_TO_DIFFER = ("[v", "[V")


_MIXED = ("::1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "::ffff:255.255.255.255", "1::1.2.3.256", "::1.2.3")


@cache
def _samples(function: str) -> tuple[str, ...]:
    found = json.loads((_VECTORS / "formats.json").read_text())
    texts = [each["text"] for each in found if each["function"] == function]
    around = {
        "is_ip": "{}",
        "is_address": "{}",
        "is_ip_prefix": "{}/128",
        "is_uri": "s://[{}]/",
        "is_host_and_port": "[{}]:1",
    }
    more = around.get(function)
    return (*texts, *(more.format(each) for each in _MIXED)) if more else tuple(texts)


@cache
def _patterns() -> tuple[tuple[str, tuple[str, ...]], ...]:
    found = json.loads((_VECTORS / "patterns.json").read_text())
    return tuple((each["pattern"], (*each["yes"], *each["no"])) for each in found)


# Arguments


def constant(random: Random, kind: str) -> Any:
    """A value of a kind, such as people and chance write into a rule."""
    if kind in RANGES:
        return _whole(random, kind)
    makers: dict[str, Callable[[], Any]] = {
        "string": lambda: random.choice(TEXTS),
        "bool": lambda: random.random() < 0.5,
        "bytes": lambda: random.choice(BYTES),
        "float": lambda: random.choice((*_DOUBLES[:-1], random.uniform(-10, 10))),
        "double": lambda: random.choice((*_DOUBLES, 1e308, random.uniform(-10, 10))),
        "timestamp": lambda: random.choice((*_TIMES, random.randint(-(10**18), 2 * 10**18))),
        "duration": lambda: random.choice((*_SPANS, random.randint(-(10**12), 10**12))),
        "field_mask": lambda: random.choice(_MASKS),
    }
    return makers[kind]()


def _whole(random: Random, kind: str) -> int:
    low, high = RANGES[kind]
    if kind == "enum" and random.random() < 0.8:
        return random.choice([each for enum in ENUMS.values() for each in enum.values()])
    value = random.choice((*_WHOLE, low, high, low + 1, high - 1, random.randint(-50, 50)))
    return min(max(value, low), high)


def literal(value: Any, kind: str) -> str:
    """A value as an option has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, bytes)):
        return quoted(value)
    if kind in {"timestamp", "duration"}:
        return _time(value, kind)
    if kind == "field_mask":
        return f"{{ {' '.join(f'paths: {quoted(each)}' for each in value)} }}"
    return repr(value)


def _time(value: int, kind: str) -> str:
    seconds, nanos = divmod(value, SECOND)
    if kind == "duration" and value < 0:
        seconds, nanos = (-each for each in divmod(-value, SECOND))
    return f"{{ seconds: {seconds} nanos: {nanos} }}"


def near(value: Any, kind: str) -> tuple[Any, ...]:
    """A value and its neighbours."""
    if kind in RANGES:
        low, high = RANGES[kind]
        return tuple(each for each in (value - 1, value, value + 1) if low <= each <= high)
    if kind == "double":
        return (value, math.nextafter(value, math.inf), math.nextafter(value, -math.inf))
    if kind == "float":
        return _near_float(value)
    if kind in {"timestamp", "duration"}:
        low, high = (FIRST_TIME, LAST_TIME) if kind == "timestamp" else (-1 << 62, 1 << 62)
        return tuple(each for each in (value - 1, value, value + 1) if low <= each <= high)
    if isinstance(value, str):
        return (value, value + "a", value[:-1], "x" + value, value.swapcase(), value + "\U0001f642")
    if isinstance(value, bytes):
        return (value, value + b"a", value[:-1], b"x" + value, value + b"\xff")
    return (value,)


def _near_float(value: float) -> tuple[float, ...]:
    rounded = struct.unpack("<f", struct.pack("<f", value))[0]
    number = struct.unpack("<i", struct.pack("<f", value))[0]
    found = [value, rounded]
    for each in (number - 1, number + 1):
        if -(2**31) <= each < 2**31:
            found.append(struct.unpack("<f", struct.pack("<i", each))[0])
    return tuple(each for each in found if math.isfinite(each))


def _rule(kind: str, name: str, value: Any, edges: Iterable[Any] = ()) -> Rule:
    return Rule((f"{kind}.{name} = {literal(value, kind)}",), tuple(edges), f"{kind}.{name}")


def _listed(random: Random, kind: str, name: str, of: str = "") -> Rule:
    values = [constant(random, of or kind) for _ in range(random.choice((1, 2, 3, 9)))]
    texts = tuple(f"{kind}.{name} = {literal(each, of or kind)}" for each in values)
    return Rule(
        texts, tuple(edge for each in values for edge in near(each, kind)), f"{kind}.{name}"
    )


# Rules


def value_rules(random: Random, kind: str) -> list[Rule]:
    """Random standard rules of a single value."""
    if kind in {"message"}:
        return []
    found: list[Rule] = []
    if random.random() < 0.12:
        value = constant(random, kind)
        found.append(
            _rule(kind, "const", value, near(value, kind) if kind != "field_mask" else _MASKS)
        )
    makers: dict[str, Callable[[Random], list[Rule]]] = {
        "string": _strings,
        "bytes": _bytes,
        "bool": _nothing,
        "enum": _enums,
        "field_mask": _masks,
    }
    found += makers[kind](random) if kind in makers else _ordered(random, kind)
    return found


def _nothing(_: Random) -> list[Rule]:
    return []


def _ordered(random: Random, kind: str) -> list[Rule]:
    found = []
    for names in (("gt", "gte"), ("lt", "lte")):
        if random.random() < 0.45:
            found.append(_bound(random, kind, random.choice(names)))
    found += _choices(random, kind) if kind != "timestamp" else []
    if kind in {"float", "double"} and random.random() < 0.2:
        found.append(_rule(kind, "finite", random.random() < 0.8, (math.inf, math.nan)))
    if kind == "timestamp":
        found += _now(random, found)
    return found


def _bound(random: Random, kind: str, name: str) -> Rule:
    if kind in {"float", "double"} and random.random() < 0.06:
        text = random.choice(("nan", "inf", "-inf"))
        return Rule((f"{kind}.{name} = {text}",), (math.inf, -math.inf, 0.0), f"{kind}.{name}")
    value = constant(random, kind)
    return _rule(kind, name, value, near(value, kind))


def _choices(random: Random, kind: str) -> list[Rule]:
    return [_listed(random, kind, name) for name in ("in", "not_in") if random.random() < 0.15]


def _now(random: Random, bounds: Sequence[Rule]) -> list[Rule]:
    said = " ".join(each.name for each in bounds)
    found = []
    if "timestamp.lt" not in said and random.random() < 0.2:
        found.append(Rule(("timestamp.lt_now = true",), (), "timestamp.lt_now"))
    elif "timestamp.gt" not in said and random.random() < 0.2:
        found.append(Rule(("timestamp.gt_now = true",), (), "timestamp.gt_now"))
    if random.random() < 0.2:
        seconds = random.choice((3600, 86400 * 30, 86400 * 36500, -5))
        text = f"timestamp.within = {{ seconds: {seconds} }}"
        found.append(Rule((text,), (), "timestamp.within"))
    return found


def _sizes(
    random: Random, kind: str, units: str, edges: Callable[[int], Sequence[Any]]
) -> list[Rule]:
    """Rules about a size, mostly such that something can be right."""
    low, high = sorted((random.choice((0, 1, 2, 3, 5)), random.choice((1, 2, 4, 8, 40))))
    if random.random() < 0.04:
        low, high = high + 1, low
    found = []
    for name, size in ((f"min_{units}", low), (f"max_{units}", high)):
        if random.random() < 0.35:
            found.append(_rule(kind, name, size, edges(size)))
    return found


def _texts_of(size: int) -> list[str]:
    letters = ("a", "é", "\U0001f642", "\u0301", "\ue000", "\0")
    return [
        each * number for each in letters for number in (size - 1, size, size + 1) if number >= 0
    ]


def _texts_of_bytes(size: int) -> list[str]:
    found = []
    for letter in ("a", "é", "\u20ac", "\U0001f642"):
        whole, rest = divmod(size, len(letter.encode()))
        found += [letter * whole + "a" * rest, letter * whole + "a" * (rest + 1), letter * whole]
    return found


def _strings(random: Random) -> list[Rule]:
    found = _sizes(random, "string", "len", _texts_of)
    if random.random() < 0.2:
        found += _sizes(random, "string", "bytes", _texts_of_bytes)
    if random.random() < 0.06:
        size = random.choice((0, 1, 3))
        found.append(_rule("string", "len", size, _texts_of(size)))
    if random.random() < 0.05:
        found.append(_rule("string", "len_bytes", 4, _texts_of_bytes(4)))
    if random.random() < 0.2:
        found.append(_pattern(random))
    for name in ("prefix", "suffix", "contains", "not_contains"):
        if random.random() < 0.1:
            part = random.choice(TEXTS)
            edges = (part, part + "z", "z" + part, f"z{part}z", part[:-1], part.swapcase())
            found.append(_rule("string", name, part, edges))
    found += _choices(random, "string")
    if random.random() < 0.3:
        found.append(_form(random))
    return found


def _pattern(random: Random) -> Rule:
    text, samples = random.choice(_patterns())
    if random.random() < 0.04:
        text = random.choice(("(", "a{2,1}", "(?=a)", r"\1"))
    edges = [*samples, *(changed(random, samples or ("",)) for _ in range(6))]
    return _rule("string", "pattern", text, edges)


def _form(random: Random) -> Rule:
    if random.random() < 0.1:
        word = random.choice(("NAME", "VALUE"))
        texts = [f"string.well_known_regex = KNOWN_REGEX_HTTP_HEADER_{word}"]
        if random.random() < 0.5:
            texts.append(f"string.strict = {random.choice(('true', 'false'))}")
        return Rule(
            tuple(texts), _form_edges(random, _SAMPLE_OF_HEADER[word]), "string.well_known_regex"
        )
    name = random.choice(list(_FORMS))
    return _rule("string", name, random.random() < 0.95, _form_edges(random, _FORMS[name][0]))


def _form_edges(random: Random, function: str) -> tuple[str, ...]:
    samples = _samples(function)
    made = [*samples, *(changed(random, samples) for _ in range(30))]
    sound = [each for each in made if not any(word in each for word in _KNOWN_TO_DIFFER)]
    return tuple(random.sample(sound, min(30, len(sound))))


def _bytes(random: Random) -> list[Rule]:
    found = _sizes(
        random, "bytes", "len", lambda size: [bytes(max(size + n, 0)) for n in (-1, 0, 1)]
    )
    if random.random() < 0.06:
        found.append(_rule("bytes", "len", 2, (b"", b"ab", b"\xc3\xa9", b"abc")))
    for name in ("prefix", "suffix", "contains"):
        if random.random() < 0.12:
            part = random.choice(BYTES)
            found.append(_rule("bytes", name, part, (part, b"z" + part, part + b"z", part[:-1])))
    if random.random() < 0.12:
        text, samples = random.choice(_patterns())
        edges = [each.encode("utf-8", "ignore") for each in samples]
        found.append(Rule((f"bytes.pattern = {quoted(text)}",), tuple(edges), "bytes.pattern"))
    found += _choices(random, "bytes")
    if random.random() < 0.15:
        name = random.choice(("ip", "ipv4", "ipv6", "uuid"))
        found.append(_rule("bytes", name, True, (b"", bytes(4), bytes(16), bytes(15), b"a" * 4)))
    return found


def _enums(random: Random) -> list[Rule]:
    found = _choices(random, "enum")
    if random.random() < 0.4:
        found.append(_rule("enum", "defined_only", random.random() < 0.9, (3, -7)))
    return found


def _masks(random: Random) -> list[Rule]:
    found = []
    for name in ("in", "not_in"):
        if random.random() < 0.3:
            paths = random.sample(("a", "a.b", "b", "c_d"), random.choice((1, 2)))
            texts = tuple(f"field_mask.{name} = {quoted(each)}" for each in paths)
            found.append(Rule(texts, tuple(_MASKS), f"field_mask.{name}"))
    return found


def list_rules(random: Random) -> list[Rule]:
    """Random rules of a list."""
    found = _sizes(random, "repeated", "items", lambda size: ())
    if random.random() < 0.45:
        found.append(_rule("repeated", "unique", random.random() < 0.95))
    return found


def map_rules(random: Random) -> list[Rule]:
    """Random rules of a map."""
    return _sizes(random, "map", "pairs", lambda size: ())
