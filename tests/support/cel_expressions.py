"""Random rules of CEL, well typed, and random records for them.

What judges are known to disagree about is left out. cel-cpp, in protovalidate 2.1.0, rounds whole
numbers beyond 2^53 to compare them with doubles; cuts doubles to six digits in a text; counts with
the longest duration of 64 bits instead of one beyond 292 years; has no `"abc".substring(0, 3)`; and
lets no side of `||` absorb an error of what is before `.matches("constant")`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

__all__ = ["FIELDS", "Expressions", "record"]

FIELDS = """
  int32 i = 1; int32 j = 2; int64 l = 3; int64 k = 4; uint32 u = 5; uint64 v = 6;
  double d = 7; double e = 8; float f = 9; string s = 10; string t = 11; bool b = 12;
  bytes y = 13; bytes z = 14; optional int32 oi = 15; optional double od = 16;
  optional string os = 17; optional bool ob = 18; Level en = 19;
  google.protobuf.Timestamp ts = 20; google.protobuf.Timestamp te = 21;
  google.protobuf.Duration du = 22; google.protobuf.Duration dv = 23;
  repeated int32 li = 24; repeated int64 ll = 25; repeated string ls = 26; repeated double ld = 27;
  repeated bytes ly = 28; map<string, string> ms = 29; map<int32, int64> mi = 30;
  Child c = 31; repeated Child lc = 32; google.protobuf.Int32Value w = 33;
  google.protobuf.StringValue ws = 34; google.protobuf.FieldMask fm = 35; sint64 sl = 36;
  repeated bool lb = 37; repeated uint32 lu = 38; optional bytes oy = 39; optional uint64 ov = 40;
"""
"""The fields of a record, in a file of protobuf."""

TEXTS = (
    *(
        "",
        "a",
        "A",
        "ab",
        "abc",
        "b",
        "é",
        "e\u0301",
        "\ue000",
        "\uffff",
        "\U0001f642",
        "\U00010000",
    ),
    *(
        "a@b.c",
        "1.2.3.4",
        "::1",
        "10.0.0.0/8",
        "http://a/b",
        "a.b",
        "a b",
        " a\t",
        "12",
        "-7",
        "+5",
    ),
    *(
        "1.5",
        "true",
        "f",
        "x,y,,z",
        "\uff21\uff22",
        "a\nb",
        '"',
        "\\",
        "%s",
        "1e3",
        "aXbX",
        "\u2003q\u00a0",
    ),
)
INTS = (0, 1, -1, 2, 3, 5, 7, -7, 10, 100, 2**31 - 1, -(2**31))
LONGS = (*INTS, 2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**62, -(2**62), 2**63 - 1, -(2**63))
DOUBLES = (
    *(0.0, 1.0, -1.0, 0.1, 0.3, 0.1 + 0.2, 2.5, -2.5, 7.0, 1e6, 1e21, 1e308, 5e-324, -1e-7),
    *(float("inf"), float("-inf"), float("nan"), 9.3e18, -9.223372036854775808e18, 1.5, 0.5),
)
BYTES = (b"", b"a", b"ab", b"\x00", b"\xff", b"\xc3\xa9", b"b\x00a", b"abab")
TIMES = (0, 1, -1, 10**9, -(10**9) - 1, 1_700_000_000_123_456_789, -62135596800 * 10**9)
LAST_TIME = 253402300800 * 10**9 - 1
SPANS = (0, 1, -1, 10**9, 3600 * 10**9, -5400 * 10**9, 1_500_000_000, 86400 * 10**9 * 366)
PATTERNS = ("^[a-z]+$", "b", "^$", r"^\\d+$", "(?i)^ab?", r"[^a]", r"^\\S+@\\S+$", "a|b$")
ZONES = ("", "'UTC'", "'-08:00'", "'+05:30'", "'14:00'")


def record(random: Random, deep: int = 2) -> dict[str, Any]:
    """Random rule values of all fields of a record."""
    some: Callable[[Callable[[], Any]], list[Any]] = lambda one: [  # noqa: E731
        one() for _ in range(random.choice((0, 1, 1, 2, 3)))
    ]
    maybe: Callable[[Callable[[], Any]], Any] = lambda one: (  # noqa: E731
        one() if random.random() < 0.6 else None
    )

    def text() -> str:
        return random.choice(TEXTS)

    def int32() -> int:
        return random.choice((*INTS, random.randint(-20, 20)))

    def int64() -> int:
        return random.choice((*LONGS, random.randint(-20, 20)))

    def uint32() -> int:
        return abs(int32())

    def uint64() -> int:
        return random.choice((abs(int64()), 2**64 - 1, 2**63))

    def double() -> float:
        return random.choice(DOUBLES)

    def octets() -> bytes:
        return random.choice(BYTES)

    def time() -> int:
        return random.choice((*TIMES, LAST_TIME, random.randint(-(10**18), 2 * 10**18)))

    def span() -> int:
        return random.choice((*SPANS, random.randint(-(10**12), 10**12)))

    return {
        "i": int32(),
        "j": int32(),
        "l": int64(),
        "k": int64(),
        "u": uint32(),
        "v": uint64(),
        "d": double(),
        "e": double(),
        "f": random.choice((0.0, 0.5, 0.10000000149011612)),
        "s": text(),
        "t": text(),
        "b": random.random() < 0.5,
        "y": octets(),
        "z": octets(),
        "oi": maybe(int32),
        "od": maybe(double),
        "os": maybe(text),
        "ob": maybe(lambda: random.random() < 0.5),
        "en": random.choice((0, 1, 2, 7)),
        "ts": maybe(time),
        "te": maybe(time),
        "du": maybe(span),
        "dv": maybe(span),
        "li": some(int32),
        "ll": some(int64),
        "ls": some(text),
        "ld": some(double),
        "ly": some(octets),
        "ms": {text(): text() for _ in some(text)},
        "mi": {int32(): int64() for _ in some(text)},
        "c": maybe(lambda: child(random, deep)),
        "lc": some(lambda: child(random, deep)),
        "w": maybe(int32),
        "ws": maybe(text),
        "fm": maybe(lambda: some(lambda: random.choice(("a", "a.b", "c_d")))),
        "sl": int64(),
        "lb": some(lambda: random.random() < 0.5),
        "lu": some(uint32),
        "oy": maybe(octets),
        "ov": maybe(uint64),
    }


def child(random: Random, deep: int) -> dict[str, Any]:
    """Random rule values of a message within a record."""
    return {
        "name": random.choice(TEXTS),
        "n": random.choice((None, 0, 3, -7)),
        "sub": child(random, deep - 1) if deep and random.random() < 0.6 else None,
        "li": [random.choice(INTS) for _ in range(random.choice((0, 1, 2)))],
    }


_FIELDS_OF: Mapping[str, tuple[str, ...]] = {
    "bool": ("b", "ob"),
    "int": ("i", "j", "l", "k", "oi", "sl", "c.n", "c.sub.n"),
    "small": ("i", "j", "oi", "c.n"),
    "uint": ("u", "v", "ov"),
    "double": ("d", "e", "f", "od"),
    "string": ("s", "t", "os", "c.name", "c.sub.name"),
    "bytes": ("y", "z", "oy"),
    "timestamp": ("ts", "te"),
    "duration": ("du", "dv"),
    "list(int)": ("li", "ll", "c.li"),
    "list(string)": ("ls", "fm.paths"),
    "list(double)": ("ld",),
    "list(bytes)": ("ly",),
    "list(bool)": ("lb",),
    "list(uint)": ("lu",),
}
_SHOWN = ("int", "int", "uint", "small", "bool", "string", "duration", "list(int)", "list(string)")
_HAS = (
    *("i", "d", "f", "s", "b", "y", "oi", "od", "os", "ob", "en", "ts", "du", "li", "ms", "c", "w"),
    *("c.n", "c.sub", "c.sub.sub", "c.name", "c.li", "ws", "fm", "v", "ms.a", "oy", "lc"),
)


class Expressions:
    """Makes rules.

    Args:
        random: where chance comes from.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._scope: list[tuple[str, str]] = []

    def rule(self) -> str:
        """A rule: a question, or one that answers with a text."""
        kind = self._random.random()
        if kind < 0.15:
            return f"{self._of('bool', 3)} ? '' : {self._of('string', 3)}"
        if kind < 0.4:  # shows what a value is, not only how it compares
            type_ = self._random.choice(_SHOWN)
            return f"'%s'.format([[{self._of(type_, 3)}]])"
        return self._of("bool", self._random.choice((1, 2, 3, 4)))

    def _of(self, type_: str, deep: int) -> str:
        """An expression of a type."""
        if deep <= 0 or self._random.random() < 0.12:
            return self._leaf(type_)
        makers = getattr(self, f"_{type_.partition('(')[0]}s")(deep - 1, type_)
        return str(self._random.choice(makers)())

    def _leaf(self, type_: str) -> str:
        known = [name for name, each in self._scope if each == type_]
        if known and self._random.random() < 0.6:
            return self._random.choice(known)
        fields = _FIELDS_OF.get(type_)
        if fields and self._random.random() < 0.65:
            return f"this.{self._random.choice(fields)}"
        return self._literal(type_)

    def _literal(self, type_: str) -> str:
        random = self._random
        if type_.startswith("list("):
            item = type_[5:-1]
            return f"[{', '.join(self._literal(item) for _ in range(random.choice((1, 2, 3))))}]"
        if type_ == "string":
            return quoted(random.choice(TEXTS))
        if type_ == "bytes":
            octets = "".join(f"\\x{byte:02x}" for byte in random.choice(BYTES))
            return f"b'{octets}'"
        if type_ == "double":
            return repr(float(random.choice((0.0, 1.0, -2.5, 0.1, 1e6, 1e21, 7.0))))
        makers: dict[str, Callable[[], str]] = {
            "bool": lambda: random.choice(("true", "false")),
            "int": lambda: str(random.choice(LONGS)),
            "small": lambda: str(random.choice(INTS)),
            "uint": lambda: f"{random.choice((0, 1, 3, 7, 2**32, 2**64 - 1))}u",
            "timestamp": lambda: random.choice(
                ("timestamp('2026-01-31T12:00:00Z')", "timestamp(0)", "timestamp(-1)")
            ),
            "duration": lambda: random.choice(
                ("duration('1h30m')", "duration('-1.5s')", "duration('8784h')", "duration('0')")
            ),
        }
        return makers[type_]()

    def _bools(self, deep: int, _type: str) -> list[Callable[[], str]]:
        of, random = self._of, self._random
        order = ("<", "<=", ">", ">=", "==", "!=")
        scalar = ("int", "uint", "double", "string", "bytes", "timestamp", "duration", "bool")
        same = random.choice(scalar)
        item = random.choice(("int", "string", "double", "bytes", "bool", "uint"))
        sign = random.choice(order)
        return [
            lambda: f"({of('bool', deep)} && {of('bool', deep)})",
            lambda: f"({of('bool', deep)} || {of('bool', deep)})",
            lambda: f"!({of('bool', deep)})",
            lambda: f"({of('bool', deep)} ? {of('bool', deep)} : {of('bool', deep)})",
            lambda: f"({of(same, deep)} {sign} {of(same, deep)})",
            lambda: f"({of(same, deep)} {sign} {of(same, deep)})",
            lambda: f"({of('small', deep)} {sign} {of('double', deep)})",
            lambda: f"({of('uint', deep)} {sign} {of('int', deep)})",
            lambda: f"has(this.{random.choice(_HAS)})",
            lambda: f"!has(this.{random.choice(_HAS)})",
            lambda: f"({of(item, deep)} in {of(f'list({item})', deep)})",
            lambda: f"({of('string', deep)} in this.ms)",
            lambda: f"({of('small', deep)} in this.mi)",
            lambda: (
                f"({of(f'list({item})', deep)} {random.choice(('==', '!='))} "
                f"{of(f'list({item})', deep)})"
            ),
            lambda: self._macro(deep),
            lambda: self._macro(deep),
            lambda: self._text_question(deep),
            lambda: (
                f"{of('bytes', deep)}.{random.choice(('startsWith', 'endsWith', 'contains'))}"
                f"({of('bytes', deep)})"
            ),
            lambda: f"{of('double', deep)}.{random.choice(('isNan()', 'isInf()', 'isInf(-1)'))}",
            lambda: f"{of(f'list({item})', deep)}.unique()",
            lambda: f"(this.en {sign} {random.choice(INTS)})",
            lambda: f"(this.en in {of('list(int)', deep)})",
            lambda: f"(this.w {random.choice(('==', '!='))} null)",
            lambda: f"(this.w {sign} {of('small', deep)})",
            lambda: f"(this.ws {random.choice(('==', '!='))} {of('string', deep)})",
            lambda: f"bool({of('string', deep)})",
            lambda: f"(type({of(same, deep)}) == {random.choice(('int', 'bool', 'string'))})",
            lambda: f"(dyn({of('int', 0)}) == 'a')",
            lambda: "(this.ms == {'a': 'b'} || this.mi != {1: 2})",
            lambda: f"({of('timestamp', deep)} {sign} now)",
        ]

    def _text_question(self, deep: int) -> str:
        text, random = self._of("string", deep), self._random
        return random.choice(
            (
                f"{text}.{random.choice(('startsWith', 'endsWith', 'contains'))}"
                f"({self._of('string', deep)})",
                f"{self._leaf('string')}.matches('{random.choice(PATTERNS)}')",
                f"{text}.{random.choice(('isEmail', 'isHostname', 'isIp', 'isUri', 'isUriRef'))}()",
                f"{text}.isIp({self._of('int', 0)})",
                f"{text}.isIpPrefix({random.choice(('', '4', 'true', '6, false'))})",
                f"{text}.isHostAndPort({self._of('bool', 0)})",
            )
        )

    def _macro(self, deep: int) -> str:
        kind = self._random.choice(("all", "exists", "exists_one"))
        over, item = self._random.choice(
            (
                *((self._of(f"list({each})", deep), each) for each in ("int", "string", "double")),
                ("this.ms", "string"),
                ("this.mi", "small"),
                ("this.lc", "child"),
            )
        )
        name = f"x{len(self._scope)}"
        entries = [(name, item)]
        if over == "this.ms":
            entries.append((f"this.ms[{name}]", "string"))
        if over == "this.mi":
            entries += [(f"this.mi[{name}]", "int"), (name, "int")]
        if item == "child":
            entries += [
                (f"{name}.name", "string"),
                (f"{name}.sub.n", "int"),
                (f"{name}.n", "small"),
            ]
        self._scope += entries
        body = self._of("bool", deep)
        del self._scope[-len(entries) :]
        return f"{over}.{kind}({name}, {body})"

    def _ints(self, deep: int, _type: str) -> list[Callable[[], str]]:
        of, random = self._of, self._random
        part = random.choice(
            ("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear")
        )
        clock = random.choice(("getHours", "getMinutes", "getSeconds", "getMilliseconds"))
        item = random.choice(("int", "string", "double"))
        return [
            lambda: f"({of('int', deep)} {random.choice('+-*/%')} {of('int', deep)})",
            lambda: f"({of('small', deep)} {random.choice('+-*/%')} {of('small', deep)})",
            lambda: f"({of('int', deep)} {random.choice('/%')} {random.choice((-1, 2, 3, 7))})",
            lambda: f"-{of('int', deep)}",
            lambda: f"({of('bool', deep)} ? {of('int', deep)} : {of('int', deep)})",
            lambda: f"size({of('string', deep)})",
            lambda: f"{of(f'list({item})', deep)}.size()",
            lambda: f"{of('bytes', deep)}.size()",
            lambda: f"int({of('double', deep)})",
            lambda: f"int({of('uint', deep)})",
            lambda: f"int({of('string', deep)})",
            lambda: f"int({of('timestamp', deep)})",
            lambda: f"int(this.en) + {of('small', deep)}",
            lambda: f"{of('list(int)', deep)}[{of('small', 0)}]",
            lambda: f"{of('list(int)', deep)}[0]",
            lambda: f"this.mi[{of('small', deep)}]",
            lambda: f"(this.w + {of('small', deep)})",
            lambda: f"{of('timestamp', deep)}.{part}({random.choice(ZONES)})",
            lambda: f"{of('timestamp', deep)}.{clock}({random.choice(ZONES)})",
            lambda: f"{of('duration', deep)}.{clock}()",
            lambda: (
                f"{of('string', deep)}.{random.choice(('indexOf', 'lastIndexOf'))}"
                f"({of('string', deep)})"
            ),
        ]

    def _smalls(self, deep: int, _type: str) -> list[Callable[[], str]]:
        of = self._of
        return [
            lambda: f"({of('small', deep)} % 1000)",
            lambda: f"({of('bool', deep)} ? {of('small', deep)} : {of('small', 0)})",
            lambda: self._leaf("small"),
        ]

    def _uints(self, deep: int, _type: str) -> list[Callable[[], str]]:
        of, random = self._of, self._random
        return [
            lambda: f"({of('uint', deep)} {random.choice('+-*/%')} {of('uint', deep)})",
            lambda: f"uint({of('int', deep)})",
            lambda: f"uint({of('double', deep)})",
            lambda: f"uint(size({of('string', deep)}))",
        ]

    def _doubles(self, deep: int, _type: str) -> list[Callable[[], str]]:
        of, random = self._of, self._random
        return [
            lambda: f"({of('double', deep)} {random.choice('+-*/')} {of('double', deep)})",
            lambda: f"-{of('double', deep)}",
            lambda: f"double({of(random.choice(('int', 'uint', 'string')), deep)})",
            lambda: f"{of('list(double)', deep)}[{of('small', 0)}]",
            lambda: f"(1.0 / double({of('small', deep)}))",
        ]

    def _strings(self, deep: int, _type: str) -> list[Callable[[], str]]:
        of, random = self._of, self._random
        scalar = random.choice(("int", "uint", "bool", "string", "timestamp", "duration"))
        return [
            lambda: f"({of('string', deep)} + {of('string', deep)})",
            lambda: f"string({of(scalar, deep)})",
            lambda: f"string({of('bytes', deep)})",
            lambda: f"string(double({of('small', deep)} % 1000) / 4.0)",
            lambda: f"this.ms[{of('string', deep)}]",
            lambda: f"{of('list(string)', deep)}[{of('small', 0)}]",
            lambda: f"({of('bool', deep)} ? {of('string', deep)} : {of('string', deep)})",
            lambda: self._formatted(deep),
            lambda: self._formatted(deep),
            lambda: f"{of('string', deep)}.{random.choice(('lowerAscii', 'upperAscii', 'trim'))}()",
            lambda: f"{of('string', deep)}.reverse()",
            lambda: f"{of('string', deep)}.substring({random.choice((0, 1, 2))})",
            lambda: f"{of('string', deep)}.substring(0, {random.choice((0, -1))})",
            lambda: f"{of('string', deep)}.charAt({of('small', 0)})",
            lambda: (
                f"{of('string', deep)}.replace({quoted(random.choice('abX,'))}, "
                f"{of('string', deep)}{random.choice(('', ', 1'))})"
            ),
            lambda: f"{of('list(string)', deep)}.join({random.choice(('', quoted(', ')))})",
        ]

    def _formatted(self, deep: int) -> str:
        of, random = self._of, self._random
        clause, type_ = random.choice(
            (
                *(("%s", each) for each in ("string", "int", "uint", "bool", "duration")),
                *(("%s", each) for each in ("list(int)", "list(string)", "list(bool)")),
                *(("%d", "int"), ("%d", "uint"), ("%x", "int"), ("%X", "uint"), ("%x", "bytes")),
                *(("%X", "string"), ("%b", "int"), ("%o", "int"), ("%b", "bool"), ("%f", "double")),
                *(("%.2f", "double"), ("%.0f", "double"), ("%.3e", "double"), ("%e", "double")),
                ("%.17e", "double"),
            )
        )
        return f"'is {clause}, 100%%'.format([{of(type_, deep)}])"

    def _bytess(self, deep: int, _type: str) -> list[Callable[[], str]]:
        return [
            lambda: f"bytes({self._of('string', deep)})",
            lambda: f"({self._of('bytes', deep)} + {self._of('bytes', deep)})",
        ]

    def _timestamps(self, deep: int, _type: str) -> list[Callable[[], str]]:
        of, random = self._of, self._random
        return [
            lambda: f"({of('timestamp', deep)} {random.choice('+-')} {of('duration', deep)})",
            lambda: f"({of('duration', deep)} + {of('timestamp', deep)})",
            lambda: f"timestamp({of('int', deep)})",
        ]

    def _durations(self, deep: int, _type: str) -> list[Callable[[], str]]:
        of, random = self._of, self._random
        return [
            lambda: f"({of('timestamp', deep)} - {of('timestamp', deep)})",
            lambda: f"({of('duration', deep)} {random.choice('+-')} {of('duration', deep)})",
        ]

    def _lists(self, deep: int, type_: str) -> list[Callable[[], str]]:
        of, item = self._of, type_[5:-1]
        makers: list[Callable[[], str]] = [
            lambda: f"({of(type_, deep)} + {of(type_, deep)})",
            lambda: f"[{of(item, deep)}, {of(item, deep)}]",
            lambda: self._leaf(type_),
            lambda: self._through(deep, type_, "filter", "bool"),
            lambda: self._through(deep, type_, "map", item),
            lambda: self._through(deep, type_, "map", item, "bool"),
        ]
        if item == "string":
            makers.append(
                lambda: f"{of('string', deep)}.split({quoted(self._random.choice(',a '))})"
            )
        return makers

    def _through(self, deep: int, type_: str, kind: str, body: str, only: str = "") -> str:
        over, name = self._of(type_, deep), f"x{len(self._scope)}"
        self._scope.append((name, type_[5:-1]))
        bodies = [self._of(each, deep) for each in (only, body) if each]
        self._scope.pop()
        return f"{over}.{kind}({', '.join([name, *bodies])})"


def quoted(text: str) -> str:
    """A text as a literal of CEL."""
    return (
        json.dumps(text, ensure_ascii=False)
        if text.isprintable()
        else json.dumps(text).replace("\\ud83d\\ude42", "\\U0001f642")
    )
