"""What generated modules declare: enums, records, entities, forms, and the schema of them all.

Knows what a declaration is made of. Must not know how values are converted (`convert` does),
how rules are judged, nor clients and servers: both use the same modules.
"""

from __future__ import annotations

import base64
import importlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import (
    Any,
    Generic,
    Literal,
    ParamSpec,
    Protocol,
    TypeVar,
)

from rhtmx.schema.codecs import Codec
from rhtmx.schema.earlier_names import Rename, Retired
from rhtmx.schema.message import Message
from rhtmx.values.json_value import Json

__all__ = [
    "Access",
    "Declared",
    "Entity",
    "Form",
    "Json",
    "Member",
    "Opens",
    "Rename",
    "Retired",
    "Schema",
    "ServerRule",
    "Shape",
    "Shaped",
    "entity_of",
    "shape_of",
]

R = TypeVar("R")
C_co = TypeVar("C_co", covariant=True)
P = ParamSpec("P")
W_contra = TypeVar("W_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Member:
    """One field of a record, as its class has it. The table of the rules has the rest of it.

    Attributes:
        rules: its row in the table of the rules.
        codec: what its values are.
        attribute: of the class; its name, unless that is a word of Python's own.
    """

    rules: Any
    codec: Codec[Any]
    attribute: str

    @property
    def name(self) -> str:
        """As in the schema, and in violations."""
        return str(self.rules.name)

    @property
    def of_server(self) -> bool:
        """What it is, is the server's business only."""
        return bool(self.rules.read_only or self.rules.server_only)

    def absent(self) -> Any:
        """The value of the attribute where the record does not have it."""
        return None if self.rules.presence else self.codec.zero()


class Shape(Generic[R]):
    """What a generated dataclass is made of; its attribute `__rhtmx__`.

    Args:
        cls: the dataclass.
        rules: the table of its rules.
        codecs: what the values of its fields are, by attribute, in the order of the table.

    Attributes:
        name: how client and server call it; empty for what is only a part of others.
        members: its fields.
        keys: its fields by their key in JSON.
        attributes: its fields by their attribute.
    """

    def __init__(
        self, cls: type[R], rules: Message, codecs: Mapping[str, Codec[Any]], *, name: str = ""
    ) -> None:
        self.cls = cls
        self.rules = rules
        self.name = name
        self.members = tuple(
            Member(row, codec, attribute)
            for row, (attribute, codec) in zip(rules.fields, codecs.items(), strict=True)
        )
        self.keys = {each.rules.key: each for each in self.members}
        self.attributes = {each.attribute: each for each in self.members}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name or self.cls.__name__!r})"

    def others_of(self, member: Member) -> tuple[Member, ...]:
        """The other fields of its oneof; none, if it is in none."""
        oneof = member.rules.oneof
        together = [each for each in self.members if oneof and each.rules.oneof == oneof]
        return tuple(each for each in together if each is not member)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do some things with the records of an entity.

    Attributes:
        actions: some of `read`, `create`, `update` and `delete`; none: everything.
        who: `owner`, `role`, `tenant`, `equal`, `anyone`, `signed_in` or `backend`.
        field: the field of the record that `owner`, `tenant` and `equal` look at.
        value: the role, the claim of a tenant, or the value that `equal` compares with.
    """

    actions: tuple[str, ...]
    who: str
    field: str = ""
    value: Any = None


class Entity(Shape[R]):
    """What is declared of an entity.

    Args:
        name: as clients name it.
        cls: the dataclass of its records.
        rules: see `Shape`.
        codecs: see `Shape`.
        whole: records are written and read as a whole only.
        merge: how concurrent writes of a field are merged, where the field says nothing.
        conflicts: writes of fields that lost are kept for others to answer.
        partition: by which fields it is divided into parts.
        access: who may do what; none: everybody everything.

    Attributes:
        version: that of the schema that it is of: its writes are made under it.
    """

    def __init__(
        self,
        name: str,
        cls: type[R],
        rules: Message,
        codecs: Mapping[str, Codec[Any]],
        *,
        whole: bool = False,
        merge: str = "",
        conflicts: bool = True,
        partition: tuple[tuple[str, ...], ...] = (),
        access: tuple[Access, ...] = (),
    ) -> None:
        super().__init__(cls, rules, codecs, name=name)
        self.version = 1
        self.whole = whole
        self.merge = merge
        self.conflicts = conflicts
        self.partition = partition
        self.access = access


class Form(Shape[R]):
    """What is declared of a form.

    Args:
        name: as clients name it.
        cls: the dataclass of its values.
        rules: see `Shape`.
        codecs: see `Shape`.
    """

    def __init__(
        self, name: str, cls: type[R], rules: Message, codecs: Mapping[str, Codec[Any]]
    ) -> None:
        super().__init__(cls, rules, codecs, name=name)


@dataclass(frozen=True, slots=True)
class ServerRule:
    """A rule that only the server judges, by `protovalidate`.

    Attributes:
        kind: `entity` or `form`.
        name: of the entity or form that has it.
        message: the full name of its message.
        id: of the rule.
        field: the name of the field whose values it judges; empty for the message as a whole.
        reads: the names of the fields that it reads; empty if nobody can tell.
        words: those of the application for it, or empty.
        files: those of the schema's own, in which it stands alone: a `FileDescriptorSet`.
    """

    kind: str
    name: str
    message: str
    id: str
    field: str
    reads: tuple[str, ...]
    words: str
    files: bytes


class Schema:
    """The schema of an application: what a generated package has as `schema`.

    Args:
        package: its name.
        version: raised by each change after which older clients write something else.
        oldest: writes that were made under an older version are refused; 0: none are.
        hash: tells two schemas apart.
        entities: what can be read and written.
        forms: what can be filled in.
        renames: keys that older versions had, in the order of versions.
        retired: other names that they had, which no code translates.

    Attributes:
        entities: by name.
        forms: by name.
    """

    def __init__(
        self,
        package: str,
        *,
        version: int = 1,
        oldest: int = 0,
        hash: str = "",  # noqa: A002 (what it is)
        entities: Sequence[Entity[Any]] = (),
        forms: Sequence[Form[Any]] = (),
        renames: tuple[Rename, ...] = (),
        retired: tuple[Retired, ...] = (),
    ) -> None:
        self.version = version
        self.oldest = oldest
        self.hash = hash
        self.entities = {each.name: each for each in entities}
        self.forms = {each.name: each for each in forms}
        self.renames = renames
        self.retired = retired
        self._package = package
        for each in entities:
            each.version = version

    def __repr__(self) -> str:
        return f"<Schema {self._package}, version {self.version}>"

    @property
    def descriptors(self) -> bytes:
        """The `FileDescriptorSet` that it was generated from; read when it is asked for."""
        return base64.b64decode(self._module("_descriptors").DESCRIPTORS)

    @property
    def served_descriptors(self) -> bytes:
        """The same without `server_only` fields, and what only they need: for others to read."""
        return base64.b64decode(self._module("_descriptors").SERVED)

    @property
    def json_schema(self) -> str:
        """It as a document of JSON Schema 2020-12, as text; without `server_only` fields.

        `$defs` has each message by the name of its class.
        """
        return str(self._module("_json_schema").JSON_SCHEMA)

    @property
    def server_rules(self) -> tuple[ServerRule, ...]:
        """The rules that only the server judges; read when they are asked for."""
        rows: Any = getattr(self._module("_descriptors"), "SERVER_RULES", ())
        return tuple(ServerRule(*row, _unpacked(files)) for *row, files in rows)  # type: ignore[call-arg]

    def _module(self, name: str) -> Any:
        # Importing the package costs nothing of it.
        return importlib.import_module(f"{self._package}.{name}")


def _unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))


class Shaped(Protocol[R]):
    """A generated dataclass, as a type checker sees it: it has a shape."""

    @property
    def __rhtmx__(self) -> Shape[R]:
        """What it is made of."""


class Opens(Protocol[W_contra, C_co]):
    """What `Client.of` takes beside the class of an entity, and what it returns."""

    def __call__(
        self, *, granularity: Literal["records", "fields"] = ..., where: W_contra | None = None
    ) -> C_co:
        """See `Client.of`."""
        ...


class Declared(Protocol[P, C_co]):
    """A generated dataclass of an entity, as a type checker sees it.

    `Client.of(Task)` is a `TaskCollection` by it, and its `where` a `TaskWhere`.
    """

    @property
    def __rhtmx__(self) -> Entity[Any]:
        """What it is made of, and what is declared of it."""

    @property
    def __opens__(self) -> Callable[P, C_co]:
        """What opens its collection."""

    def __call__(self, *fields: Any, **named: Any) -> Any:
        """Make a record: a class can, which a record cannot."""


def shape_of(cls: type[R]) -> Shape[R]:
    """What a generated dataclass is made of.

    Args:
        cls: the dataclass.

    Raises:
        TypeError: it is not a generated one.

    Example:
        >>> shape_of(str)
        Traceback (most recent call last):
        ...
        TypeError: str: a class that `rhtmx codegen` has generated expected
    """
    shape = getattr(cls, "__rhtmx__", None)
    if not isinstance(shape, Shape) or not isinstance(cls, type):
        name = getattr(cls, "__name__", repr(cls))
        raise TypeError(f"{name}: a class that `rhtmx codegen` has generated expected")
    return shape


def entity_of(cls: type[R]) -> Entity[R]:
    """What is declared of the entity whose records a generated dataclass is.

    Args:
        cls: the dataclass.

    Raises:
        TypeError: it is no generated one, or none of an entity.
    """
    shape = shape_of(cls)
    if not isinstance(shape, Entity):
        raise TypeError(f"{cls.__name__}: the schema declares no entity of such records")
    return shape
