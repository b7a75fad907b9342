"""The schema as plain data: what every emitter reads.

Knows the shape of the schema: messages, fields, enums, envelope cases, gRPC
services, each with its comment and its place in the source. Must not know
protobuf's own classes (`descriptors.py` reads those), nor what is emitted, nor
any file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from codegen.kinds import Direction, Kind, Label, Location

__all__ = [
    "Case",
    "Direction",
    "Enum",
    "EnumValue",
    "ErrorTraits",
    "Field",
    "Kind",
    "Label",
    "Location",
    "Message",
    "Method",
    "Schema",
    "Service",
]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message.

    `type_name` is the plain name of the message or enum (`ChangeLog`), empty
    for other kinds. `proto_type` is the type as protobuf spells it. `json`,
    `required` and those of a case are the options as written; emitters read `kind`
    and `label`, the rules compare the two.
    """

    name: str
    number: int
    kind: Kind
    label: Label
    type_name: str
    proto_type: str
    json: bool
    required: bool
    omittable: bool
    direction: Direction
    ephemeral: bool
    answer: str
    oneof: str
    comment: str
    location: Location

    @property
    def mandatory(self) -> bool:
        """Whether the JSON form must have this key (and it must not be null)."""
        if self.kind is Kind.JSON or self.label is Label.OPTIONAL:
            return False
        return not self.omittable


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `reserved` holds inclusive ranges of numbers."""

    name: str
    fields: tuple[Field, ...]
    reserved: tuple[tuple[int, int], ...]
    reserved_names: tuple[str, ...]
    nested: tuple[str, ...]
    comment: str
    location: Location


@dataclass(frozen=True, slots=True)
class ErrorTraits:
    """What an error code means to the peer. `close_code` 0: it ends nothing."""

    grpc_status: int
    close_code: int
    retryable: bool


@dataclass(frozen=True, slots=True)
class EnumValue:
    """One value of an enum. `name` is the full one (`CHANGE_ACTION_CREATE`)."""

    name: str
    number: int
    spelling: str
    error: ErrorTraits | None
    comment: str
    location: Location


@dataclass(frozen=True, slots=True)
class Enum:
    """One enum; `values` include the zero value, which is never sent."""

    name: str
    values: tuple[EnumValue, ...]
    reserved: tuple[tuple[int, int], ...]
    comment: str
    location: Location

    @property
    def spelled(self) -> tuple[EnumValue, ...]:
        """The values that may be sent: all but zero."""
        return tuple(value for value in self.values if value.number != 0)

    def short_name(self, value: EnumValue) -> str:
        """Its name without the enum's prefix: `CREATE` for `CHANGE_ACTION_CREATE`."""
        prefix = "".join(
            f"_{letter}" if letter.isupper() and index else letter.upper()
            for index, letter in enumerate(self.name)
        )
        return value.name.removeprefix(f"{prefix}_")


@dataclass(frozen=True, slots=True)
class Case:
    """One case of the envelope: `name` is the value of `type` in JSON.

    `ephemeral`: it is told to those who read its `entity` now, and never stored.
    `answer` is the name of the case that answers it, empty where none does.
    """

    name: str
    number: int
    message: str
    direction: Direction
    ephemeral: bool
    answer: str
    comment: str
    location: Location

    @property
    def from_client(self) -> bool:
        """Whether a client may send it."""
        return self.direction in (Direction.CLIENT, Direction.BOTH)

    @property
    def from_server(self) -> bool:
        """Whether a server may send it."""
        return self.direction in (Direction.SERVER, Direction.BOTH)


@dataclass(frozen=True, slots=True)
class Method:
    """One method of a gRPC service."""

    name: str
    request: str
    response: str
    request_stream: bool
    response_stream: bool
    comment: str
    location: Location


@dataclass(frozen=True, slots=True)
class Service:
    """One gRPC service."""

    name: str
    methods: tuple[Method, ...]
    comment: str
    location: Location


@dataclass(frozen=True, slots=True)
class Schema:
    """The whole schema.

    `messages` and `enums` are in source order, files in alphabetical order;
    `cases` are those of the envelope, in source order. `options_file`'s own
    messages are not among them. `descriptor` is the serialised
    `FileDescriptorSet` without source information, and `hash` 16 hex digits of
    its SHA-256.
    """

    package: str
    messages: tuple[Message, ...]
    enums: tuple[Enum, ...]
    cases: tuple[Case, ...]
    services: tuple[Service, ...]
    descriptor: bytes
    hash: str

    def message(self, name: str) -> Message:
        """Find the message of that plain name; KeyError if there is none."""
        for message in self.messages:
            if message.name == name:
                return message
        raise KeyError(name)

    def enum(self, name: str) -> Enum:
        """Find the enum of that plain name; KeyError if there is none."""
        for each in self.enums:
            if each.name == name:
                return each
        raise KeyError(name)

    def case(self, name: str) -> Case | None:
        """Find the case of that name, if there is one."""
        return next((each for each in self.cases if each.name == name), None)

    @property
    def ephemeral(self) -> tuple[Case, ...]:
        """The cases that are told and never stored, in case order."""
        return tuple(case for case in self.cases if case.ephemeral)

    @property
    def questions(self) -> tuple[tuple[Case, Case], ...]:
        """The cases that are asked, each with the one that answers it, in case order."""
        found = ((case, self.case(case.answer)) for case in self.cases if case.answer)
        return tuple((asked, answer) for asked, answer in found if answer is not None)

    @property
    def case_messages(self) -> tuple[Message, ...]:
        """The messages of the envelope's cases, in case order."""
        return tuple(self.message(case.message) for case in self.cases)

    @property
    def wire_messages(self) -> tuple[Message, ...]:
        """All messages inside the envelope, each after those that it contains."""
        return tuple(self._closure(self.case_messages))

    @property
    def wire_enums(self) -> tuple[Enum, ...]:
        """All enums inside the envelope, in schema order."""
        used = {
            field.type_name
            for message in self.wire_messages
            for field in message.fields
            if field.kind is Kind.ENUM
        }
        return tuple(each for each in self.enums if each.name in used)

    @property
    def ordered_messages(self) -> tuple[Message, ...]:
        """All messages, the envelope and gRPC's too, each after those it contains."""
        return tuple(self._closure(self.messages))

    def _closure(self, roots: tuple[Message, ...]) -> Iterator[Message]:
        seen: set[str] = set()

        def visit(message: Message) -> Iterator[Message]:
            if message.name in seen:
                return
            seen.add(message.name)
            for field in message.fields:
                if field.kind is Kind.MESSAGE:
                    yield from visit(self.message(field.type_name))
            yield message

        for root in roots:
            yield from visit(root)
