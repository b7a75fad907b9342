"""Random rules in CEL, well typed, about what a random schema has.

The campaign of `cel_judges` looks at CEL itself; here it is about `this` of every sort. What the
other judges are known to do otherwise (see `cel_expressions`) is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any, NamedTuple

from tests.support.cel_expressions import PATTERNS, TEXTS, quoted
from tests.support.random_schemas.texts import Application, Field, Message, Slot

__all__ = ["Known", "expression", "of_field", "of_message", "of_value"]

_TYPES = {
    **dict.fromkeys(("int32", "sint32", "sfixed32"), "small"),
    **dict.fromkeys(("int64", "sint64", "sfixed64"), "int"),
    **dict.fromkeys(("uint32", "fixed32", "uint64", "fixed64"), "uint"),
    **dict.fromkeys(("float", "double"), "double"),
    "enum": "small",
}
_SMALL = (0, 1, 2, -3, 7, 10)
_ORDERED = ("\ue000", "\uffff", "\U00010000", "\U0001f642", "z\U00010000", "z\uff21")
"""Texts that UTF-16 orders otherwise than code points do."""
_ORDER = ("<", "<=", ">", ">=", "==", "!=")
_SCALARS = ("int", "uint", "double", "string", "bytes", "timestamp", "duration", "bool")


class Known(NamedTuple):
    """What an expression can speak of.

    Args:
        values: expressions with their types.
        has: what can be asked for with `has`.
    """

    values: Sequence[tuple[str, str]]
    has: Sequence[str] = ()


def _type(kind: str) -> str:
    return _TYPES.get(kind, kind)


def of_value(application: Application, slot: Slot, name: str = "this") -> Known:
    """What can be said of a single value."""
    if slot.kind == "message":
        return of_message(application, application.messages[slot.type], name)
    if slot.kind == "field_mask":
        return Known([(f"{name}.paths", "list(string)")])
    return Known([(name, _type(slot.kind))])


def of_field(application: Application, field: Field, name: str = "this") -> Known:
    """What can be said of the value of a field."""
    if field.many == "repeated":
        return Known([(name, f"list({_type(field.value.kind)})")])
    if field.key is not None:
        return Known([(name, f"map({_type(field.key.kind)},{_type(field.value.kind)})")])
    return of_value(application, field.value, name)


def of_message(
    application: Application, message: Message, name: str = "this", deep: int = 1
) -> Known:
    """What can be said of a message."""
    values: list[tuple[str, str]] = []
    has: list[str] = []
    for field in message.fields:
        at = f"{name}.{field.name}"
        has.append(at)
        if field.value.wrapper and not field.many:
            values.append((at, f"nullable({_type(field.value.kind)})"))
        elif field.value.kind == "message" and not field.many:
            within = application.messages[field.value.type]
            if deep:
                inner = of_message(application, within, at, deep - 1)
                values += inner.values
                has += inner.has
        else:
            values += of_field(application, field, at).values
    return Known(values, has)


def expression(random: Random, known: Known) -> tuple[str, tuple[Any, ...]]:
    """A rule, and the values that it names: a question, or one that answers with a text."""
    maker = _Maker(random, known)
    if random.random() < 0.2 and any("int" in each or "small" in each for _, each in known.values):
        text = maker.absorbed() if random.random() < 0.6 else maker.overflowing()
    elif random.random() < 0.2:
        text = f"{maker.of('bool', 2)} ? '' : {maker.of('string', 1)}"
    else:
        text = maker.of("bool", random.choice((1, 2, 2, 3)))
    return text, tuple(maker.said)


class _Maker:
    """Makes expressions."""

    def __init__(self, random: Random, known: Known) -> None:
        self._random = random
        self._values = list(known.values)
        self._has = known.has
        self.said: list[Any] = []

    def of(self, type_: str, deep: int) -> str:
        """An expression of a type."""
        if deep <= 0 or self._random.random() < 0.15:
            return self._leaf(type_)
        makers: dict[str, Callable[[int], Sequence[Callable[[], str]]]] = {
            "bool": self._bools,
            "int": self._ints,
            "small": self._smalls,
            "uint": lambda deep: [
                lambda: f"({self.of('uint', deep)} + {self.of('uint', 0)})",
                lambda: f"uint({self.of('small', deep)})",
            ],
            "double": lambda deep: [
                lambda: (
                    f"({self.of('double', deep)} {self._random.choice('+-*/')} "
                    f"{self.of('double', 0)})"
                ),
                lambda: f"double({self.of('small', deep)})",
            ],
            "string": self._strings,
            "duration": lambda deep: [
                lambda: f"({self.of('timestamp', 0)} - {self.of('timestamp', 0)})"
            ],
        }
        made = makers.get(type_)
        return self._random.choice(made(deep - 1))() if made else self._leaf(type_)

    def _leaf(self, type_: str) -> str:
        found = [text for text, each in self._values if each == type_]
        if type_ == "int":
            found += [text for text, each in self._values if each == "small"]
        if found and self._random.random() < 0.85:
            return self._random.choice(found)
        return self._literal(type_)

    def _literal(self, type_: str) -> str:
        random = self._random
        if type_.startswith("list("):
            return f"[{', '.join(self._literal(type_[5:-1]) for _ in range(random.randint(1, 3)))}]"
        makers: dict[str, Callable[[], str]] = {
            "bool": lambda: random.choice(("true", "false")),
            "string": lambda: quoted(self._saying(random.choice((*TEXTS, *_ORDERED, *_ORDERED)))),
            "bytes": lambda: random.choice(("b''", "b'a'", "b'\\xff'", "b'\\x00b'")),
            "double": lambda: random.choice(("0.0", "1.0", "-2.5", "0.1", "7.0", "1e21")),
            "int": lambda: str(
                self._saying(random.choice((*_SMALL, 2**31, 2**53 + 1, 2**62, -(2**63))))
            ),
            "small": lambda: str(self._saying(random.choice(_SMALL))),
            "uint": lambda: random.choice(("0u", "1u", "3u", "4294967296u")),
            "timestamp": lambda: random.choice(("timestamp('2026-01-31T12:00:00Z')", "now")),
            "duration": lambda: random.choice(
                ("duration('1h30m')", "duration('-1.5s')", "duration('0')")
            ),
        }
        return makers[type_]()

    def _saying(self, value: Any) -> Any:
        """A value, of which note is taken."""
        self.said += [value, value - 1, value + 1] if isinstance(value, int) else [value]
        return value

    def _typed(self, start: str) -> list[tuple[str, str]]:
        return [each for each in self._values if each[1].startswith(start)]

    def _bools(self, deep: int) -> Sequence[Callable[[], str]]:
        of, random = self.of, self._random
        own = [each for _, each in self._values if each in _SCALARS or each == "small"]
        same = random.choice(own) if own and random.random() < 0.8 else random.choice(_SCALARS)
        sign = random.choice(_ORDER)
        made: list[Callable[[], str]] = [
            lambda: f"({of('bool', deep)} && {of('bool', deep)})",
            lambda: f"({of('bool', deep)} || {of('bool', deep)})",
            lambda: f"!({of('bool', deep)})",
            lambda: f"({of('bool', deep)} ? {of('bool', deep)} : {of('bool', deep)})",
            lambda: f"({of('small', deep)} {sign} {of('double', deep)})",
            lambda: f"({of(same, deep)} in {self._literal(f'list({same})')})",
            *[lambda: f"({of(same, deep)} {sign} {of(same, deep)})"] * 3,
            *[lambda: f"({of('string', 0)} {sign} {of('string', 0)})"]
            * (2 if same == "string" else 0),
            *[self.absorbed] * (2 if same in {"int", "small"} else 0),
            *[lambda: self._divided(sign)] * (2 if same in {"int", "small"} else 0),
            *[lambda: self._text_question(deep)] * (2 if same == "string" else 0),
        ]
        if self._has:
            made += [lambda: f"{random.choice(('', '!'))}has({random.choice(self._has)})"] * 2
        for many, make in (
            ("list(", self._of_list),
            ("map(", self._of_map),
            ("nullable(", self._of_wrapper),
        ):
            if self._typed(many):
                text, type_ = random.choice(self._typed(many))
                made += [partial(make, text, type_, deep)] * 3
        return made

    def _divided(self, sign: str) -> str:
        """What becomes of a division of a number below zero."""
        random = self._random
        self.said += [-7, -5, -3, -1]
        by = random.choice((2, 3, 4, -2, -3))
        return f"({self._leaf('int')} {random.choice('/%')} {by} {sign} {random.randint(-4, 4)})"

    def absorbed(self) -> str:
        """A side of `||` or `&&` errs where the other one says what is meant."""
        random = self._random
        lists = self._typed("list(small") + self._typed("list(int")
        self.said += [0, 1, 7]
        if lists and random.random() < 0.5:
            over, _ = random.choice(lists)
            return f"{over}.{random.choice(('all', 'exists'))}(q, {self._erring('q')})"
        by = self._leaf(random.choice(("int", "small")))
        sides = [self._erring(by)]
        other = self._leaf(random.choice(("int", "small")))
        sides.append(random.choice((f"({by} == 0)", self._erring(other), self._erring(other))))
        random.shuffle(sides)
        return f"({random.choice((' || ', ' && ')).join(sides)})"

    def overflowing(self) -> str:
        """A sum, a difference or a product that may not fit 64 bits."""
        random = self._random
        self.said += [0, 1, -1, 2**62, 2**63 - 1, -(2**63)]
        by = self._leaf(random.choice(("int", "small")))
        other = random.choice((2**63 - 1, -(2**63) + 1, 2**62, by))
        sign = random.choice(_ORDER)
        return f"({by} {random.choice('++-*')} {other} {sign} {random.randint(-1, 1)})"

    def _erring(self, by: str) -> str:
        random = self._random
        sign = random.choice(_ORDER)
        return f"({random.choice((0, 7, 10))} {random.choice('/%')} {by} {sign} 2)"

    def _text_question(self, deep: int) -> str:
        random = self._random
        return random.choice(
            (
                f"{self.of('string', deep)}.{random.choice(('startsWith', 'endsWith', 'contains'))}"
                f"({self.of('string', 0)})",
                f"{self._leaf('string')}.matches('{random.choice(PATTERNS)}')",
                f"{self._leaf('string')}.{random.choice(('isEmail', 'isHostname', 'isIp'))}()",
            )
        )

    def _of_list(self, text: str, type_: str, deep: int) -> str:
        random, item = self._random, type_[5:-1]
        if item in {"message", "field_mask"}:
            return f"({text}.size() {random.choice(_ORDER)} {random.randint(0, 3)})"
        choices = [
            f"({self.of(item, deep)} in {text})",
            f"({text}.size() {random.choice(_ORDER)} {random.randint(0, 3)})",
            f"({text} {random.choice(('==', '!='))} {self._literal(type_)})",
            f"({text}[0] == {self.of(item, 0)})",
            self._macro(text, item, deep),
            self._macro(text, item, deep),
        ]
        if item not in {"timestamp", "duration"}:
            choices.append(f"{text}.unique()")
        return random.choice(choices)

    def _macro(self, over: str, item: str, deep: int, *more: tuple[str, str]) -> str:
        name = f"x{len(self._values)}"
        before = self._values
        entries = [(name, item), *((text.replace("?", name), type_) for text, type_ in more)]
        if item in {"message", "field_mask"}:
            entries = []
        self._values = [*before, *entries, *entries]
        body = self.of("bool", deep)
        self._values = before
        return f"{over}.{self._random.choice(('all', 'exists', 'exists_one'))}({name}, {body})"

    def _of_map(self, text: str, type_: str, deep: int) -> str:
        random = self._random
        key, value = type_[4:-1].split(",")
        return random.choice(
            (
                f"({self.of(key, deep)} in {text})",
                f"(size({text}) {random.choice(_ORDER)} {random.randint(0, 3)})",
                self._macro(
                    text, key, deep, *([] if value == "message" else [(f"{text}[?]", value)])
                ),
            )
        )

    def _of_wrapper(self, text: str, type_: str, deep: int) -> str:
        random, kind = self._random, type_[9:-1]
        orders = ("==", "!=") if kind in {"bool", "bytes"} else _ORDER
        asked = f"({text} {random.choice(orders)} {self.of(kind, deep)})"
        return random.choice(
            (f"({text} == null)", f"({text} != null)", f"(has({text}) && {asked})", asked)
        )

    def _ints(self, deep: int) -> Sequence[Callable[[], str]]:
        of, random = self.of, self._random
        return [
            lambda: f"({of('int', deep)} {random.choice('+-*/%')} {of('int', deep)})",
            lambda: f"({of('int', deep)} {random.choice('/%')} {random.choice((-1, 2, 3))})",
            lambda: f"size({of('string', deep)})",
            lambda: f"int({of('double', deep)})",
            lambda: f"{of('bytes', deep)}.size()",
            lambda: f"({of('bool', deep)} ? {of('int', deep)} : {of('int', deep)})",
        ]

    def _smalls(self, deep: int) -> Sequence[Callable[[], str]]:
        of, random = self.of, self._random
        return [
            lambda: f"({of('small', 0)} {random.choice('+-%')} {random.choice((2, 3, 5))})",
            lambda: f"size({of('string', deep)})",
        ]

    def _strings(self, deep: int) -> Sequence[Callable[[], str]]:
        of = self.of
        return [
            lambda: f"({of('string', deep)} + {of('string', deep)})",
            lambda: f"string({of('small', deep)})",
            lambda: f"string({of('bool', deep)})",
            lambda: f"({of('bool', deep)} ? {of('string', deep)} : {of('string', 0)})",
        ]
