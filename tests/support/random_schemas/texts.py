"""A random schema as plain data, and its text in protobuf.

Knows how a schema is written. Must not know which rules there are, nor chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = ["ENUMS", "SCALARS", "Application", "Field", "Message", "Rule", "Slot", "quoted"]

SCALARS = (
    *("string", "bool", "bytes", "int32", "sint32", "sfixed32", "uint32", "fixed32"),
    *("int64", "sint64", "sfixed64", "uint64", "fixed64", "float", "double"),
)
"""The kinds of scalars; each is its own type."""

ENUMS = {
    "Level": {"LEVEL_UNSPECIFIED": 0, "LEVEL_LOW": 1, "LEVEL_HIGH": 2, "LEVEL_OFF": -1},
    "Tone": {"TONE_NONE": 0, "TONE_LOUD": 5, "TONE_SHRILL": 5, "TONE_MAX": 2**31 - 1},
}
"""The enums of each schema: their values with their numbers. Two values of one number are meant."""


class Rule(NamedTuple):
    """One rule.

    Args:
        texts: its options, behind `(buf.validate.field).`; several of a rule with a list.
        edges: values that nearly break it, or nearly do not.
        name: what codegen calls it.
    """

    texts: tuple[str, ...]
    edges: tuple[Any, ...] = ()
    name: str = ""


@dataclass(slots=True)
class Slot:
    """A place for a single value.

    Attributes:
        type: as it is written.
        kind: what its rules begin with; `message` for those without.
        rules: of it.
        wrapper: it is one of `google.protobuf.Int32Value` and the like.
    """

    type: str
    kind: str
    rules: list[Rule] = field(default_factory=list)
    wrapper: bool = False


@dataclass(slots=True)
class Field:
    """A field.

    Attributes:
        many: `repeated`, `map`, or empty.
        rules: those of a list or a map; of a single value, `value` has them.
        oneof: the name of its oneof.
        others: more options, such as `jstype = JS_STRING`.
    """

    name: str
    number: int
    value: Slot
    key: Slot | None = None
    many: str = ""
    optional: bool = False
    oneof: str = ""
    rules: list[Rule] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def json_key(self) -> str:
        """Its key in JSON."""
        names = [each for each in self.others if each.startswith("json_name")]
        return names[0].split('"')[1] if names else self.name

    @property
    def text(self) -> bool:
        """JSON has its number as a text."""
        return "jstype = JS_STRING" in self.others

    @property
    def presence(self) -> bool:
        """It can be absent."""
        single = not self.many
        message = self.value.kind in {"message", "timestamp", "duration", "field_mask"}
        return single and (message or self.value.wrapper or self.optional or bool(self.oneof))

    def places(self) -> Iterator[tuple[str, list[Rule]]]:
        """The rules of each of its parts, and what stands before these."""
        if self.many == "repeated":
            yield "", self.rules
            yield "repeated.items.", self.value.rules
        elif self.many == "map":
            assert self.key is not None
            yield "", self.rules
            yield "map.keys.", self.key.rules
            yield "map.values.", self.value.rules
        else:
            yield "", self.value.rules

    def line(self) -> str:
        """Its declaration."""
        label = "repeated " if self.many == "repeated" else "optional " if self.optional else ""
        type_ = self.value.type
        if self.key is not None:
            type_ = f"map<{self.key.type}, {type_}>"
        options = [
            f"(buf.validate.field).{before}{text}"
            for before, rules in self.places()
            for rule in rules
            for text in rule.texts
        ]
        listed = ", ".join([*self.others, *options])
        return f"{label}{type_} {self.name} = {self.number}{f' [{listed}]' if listed else ''};"


@dataclass(slots=True)
class Message:
    """A message.

    Attributes:
        oneofs: whether each is required, by its name.
        rules: of it as a whole, behind `(buf.validate.message).`.
    """

    name: str
    fields: list[Field] = field(default_factory=list)
    oneofs: dict[str, bool] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """Its declaration. Its own options are on the first line, as problems with them are."""
        own = " ".join(
            f"option (buf.validate.message).{text};" for each in self.rules for text in each.texts
        )
        yield f"message {self.name} {{ {own}"
        for each in self.fields:
            if not each.oneof:
                yield f"  {each.line()}"
        for name, required in self.oneofs.items():
            within = [each for each in self.fields if each.oneof == name]
            if within:
                option = "option (buf.validate.oneof).required = true;" if required else ""
                yield f"  oneof {name} {{ {option}"
                yield from (f"    {each.line()}" for each in within)
                yield "  }"
        yield "}"


@dataclass(slots=True)
class Application:
    """A schema: its messages, the first of which is judged.

    Attributes:
        package: of its own.
        messages: by name.
        predefined: the extensions that it has for rules of its own; lines of a file in proto2.
    """

    package: str
    messages: dict[str, Message]
    predefined: list[str] = field(default_factory=list)

    @property
    def root(self) -> Message:
        """The one that is judged."""
        return next(iter(self.messages.values()))

    def files(self) -> dict[str, str]:
        """The text of each file, by its name."""
        imports = [
            *("buf/validate/validate.proto", "google/protobuf/timestamp.proto"),
            *("google/protobuf/duration.proto", "google/protobuf/wrappers.proto"),
            "google/protobuf/field_mask.proto",
        ]
        head = [f"package {self.package};", *(f'import "{each}";' for each in imports)]
        name = f"{self.package}.proto"
        found = {}
        if self.predefined:
            found[f"{self.package}_own.proto"] = _joined(
                ['syntax = "proto2";', *head, *self.predefined]
            )
            head.append(f'import "{self.package}_own.proto";')
        found[name] = _joined(['syntax = "proto3";', *head, *self._body()])
        return found

    def _body(self) -> Iterator[str]:
        for name, values in ENUMS.items():
            alias = "option allow_alias = true; " if len(set(values.values())) < len(values) else ""
            listed = " ".join(f"{each} = {number};" for each, number in values.items())
            yield f"enum {name} {{ {alias}{listed} }}"
        for message in self.messages.values():
            yield from message.lines()

    def line_of(self, line: int) -> Message | Field | None:
        """What is declared on a line of its file, from 1."""
        text = self.files()[f"{self.package}.proto"].splitlines()[line - 1]
        current: Message | Field | None = None
        for message in self.messages.values():
            if text.startswith(f"message {message.name} "):
                return message
            for each in message.fields:
                if text.strip() == each.line() and self._within(line, message):
                    return each
        return current

    def _within(self, line: int, message: Message) -> bool:
        lines = self.files()[f"{self.package}.proto"].splitlines()
        start = next(
            n for n, each in enumerate(lines) if each.startswith(f"message {message.name} ")
        )
        return start < line <= start + len(list(message.lines()))


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def quoted(octets: bytes | str) -> str:
    """A text, or bytes, as a literal of protobuf."""
    if isinstance(octets, str):
        octets = octets.encode()
    return '"' + "".join(map(_letter, octets)) + '"'


def _letter(byte: int) -> str:
    letter = chr(byte)
    plain = letter.isascii() and letter.isprintable() and letter not in '"\\'
    return letter if plain else f"\\{byte:03o}"
