"""Tables of rules: what generated code says of a message, and of each of its fields.

Knows what such a table is made of. Must not know how it is judged (`judge` does), nor how rules
are written in a schema.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from rhtmx.schema.adapted import normalized, unjudged
from rhtmx.schema.kinds import Kind
from rhtmx.schema.rules import Checks, RuleRow
from rhtmx.values.json_value import Json

__all__ = [
    "CelRule",
    "Default",
    "Field",
    "FieldsRule",
    "Message",
    "MessageRule",
    "any_of",
    "cel_rule",
    "field",
    "message",
    "normal_fields",
    "normalizes",
    "one_of",
]


@dataclass(frozen=True, slots=True)
class Default:
    """What a field is where whoever creates a record says nothing of it.

    Attributes:
        value: it, as JSON; if `source` is empty.
        source: `now`, `subject` or `uuid7`.
    """

    value: Any = None
    source: str = ""


class Field:
    """One field of a message: see `field` for what it has."""

    __slots__ = (
        "absent",
        "asks",
        "checks",
        "default",
        "deliverable",
        "exact",
        "extended",
        "guarded",
        "help",
        "immutable",
        "key",
        "kind",
        "label",
        "merge",
        "name",
        "oneof",
        "presence",
        "read",
        "read_only",
        "rules",
        "scale",
        "secret",
        "server_only",
        "words",
    )

    key: str
    presence: bool
    oneof: str
    words: Mapping[str, str]
    merge: str
    scale: int
    read_only: bool
    server_only: bool
    immutable: bool
    default: Default | None
    secret: bool
    label: str
    help: str
    asks: bool
    deliverable: bool

    def __init__(self, name: str, kind: Kind, rules: Checks, traits: Mapping[str, Any]) -> None:
        for trait, value in traits.items():
            setattr(self, trait, value)
        self.name = name
        self.key = traits["key"] or name
        self.kind = kind
        self.rules = rules
        # What the judge's loop looks at, where it finds it fastest.
        self.read = kind.read
        self.exact = kind.exact
        self.checks = rules.checks
        self.extended = bool(rules.timed or rules.cels)
        self.absent = None if self.presence else kind.zero
        self.guarded = self.presence or rules.required or rules.ignore_zero

    def __repr__(self) -> str:
        return f"<Field {self.name}: {self.kind.word}>"


_NO_WORDS: Final[Mapping[str, str]] = {}


def field(
    name: str,
    kind: Kind,
    *rows: RuleRow,
    key: str = "",
    presence: bool = False,
    required: bool = False,
    ignore_zero: bool = False,
    ignore: bool = False,
    oneof: str = "",
    words: Mapping[str, str] = _NO_WORDS,
    merge: str = "",
    scale: int = 0,
    read_only: bool = False,
    server_only: bool = False,
    immutable: bool = False,
    default: Default | None = None,
    secret: bool = False,
    label: str = "",
    help: str = "",  # noqa: A002 (the schema's own word)
    asks: bool = False,
    deliverable: bool = False,
    normalize: Collection[str] = (),
) -> Field:
    """One field of a message, as generated code says it.

    Args:
        name: as the schema has it; it begins the paths of violations.
        kind: of its value.
        rows: its rules, see `RuleRow`.
        key: its key in JSON, if that is another one than the name.
        presence: absent is something else than zero.
        required: it is there; without presence, it is not zero.
        ignore_zero: zero is not judged. With presence it has no effect: what is there, is judged.
        ignore: it is read, but not judged.
        oneof: the name of its oneof.
        words: words of the application, by the id of the rule.
        merge: how concurrent writes are merged.
        scale: decimals of a counter that is a text.
        read_only: only the server writes it.
        server_only: it never leaves the server.
        immutable: it is written once.
        default: what it is where nobody says anything.
        secret: what it is, neither logs nor errors say, and drafts do not keep it.
        label: what people call it.
        help: what helps people who fill it in.
        asks: the server has a validator of its own for it.
        deliverable: the server judges whether mail could reach it.
        normalize: what is done with a text before it is judged and kept: `trim`, `nfc`.

    Example:
        >>> from rhtmx import schema as _s
        >>> field("title", _s.STRING, (_s.min_len, 1), required=True)
        <Field title: string>
    """
    traits = {
        "key": key,
        "presence": presence,
        "oneof": oneof,
        "words": words,
        "merge": merge,
        "scale": scale,
        "read_only": read_only,
        "server_only": server_only,
        "immutable": immutable,
        "default": default,
        "secret": secret,
        "label": label,
        "help": help,
        "asks": asks,
        "deliverable": deliverable and not ignore,
    }
    if normalize:
        kind = normalized(kind, *normalize)
    if ignore:
        kind = unjudged(kind)
    held = Checks(() if ignore else rows, required=required and not ignore, ignore_zero=ignore_zero)
    return Field(name, kind, held, traits)


class CelRule:
    """A rule in CEL about a whole message.

    Attributes:
        code: its id.
        words: what is said where it returns `False`.
        reads: the names of the fields that it reads.
        holds: the function: `(this, now)`, with the values of those fields by name; it returns
            whether it holds, or words of why it does not, which are empty where it does.
    """

    __slots__ = ("code", "holds", "reads", "words")

    def __init__(
        self, code: str, words: str, reads: tuple[str, ...], holds: Callable[..., Any]
    ) -> None:
        self.code = code
        self.words = words
        self.reads = frozenset(reads)
        self.holds = holds


class FieldsRule:
    """How many of some fields a message has: not more than one, and one if it is required.

    Attributes:
        path: where a violation of it is: the name of a oneof, or empty.
        code: its id, where none is there.
        many: its id, where there are several.
        fields: the names of the fields, in their order.
        reads: the same, to look one up.
        required: one is there.
        present: the fields whose zero is there, too, since they can be absent.
    """

    __slots__ = ("code", "fields", "many", "path", "present", "reads", "required")

    def __init__(
        self,
        path: str,
        code: str,
        many: str,
        fields: tuple[str, ...],
        *,
        required: bool,
        present: tuple[str, ...],
    ) -> None:
        self.path = path
        self.code = code
        self.many = many
        self.fields = fields
        self.reads = frozenset(fields)
        self.required = required
        self.present = frozenset(present)


MessageRule: TypeAlias = CelRule | FieldsRule
"""A rule about a whole message."""


def cel_rule(id: str, words: str, reads: tuple[str, ...], function: Callable[..., Any]) -> CelRule:  # noqa: A002 (the schema's own word)
    """A rule in CEL about a whole message; see `CelRule`."""
    return CelRule(id, words, reads, function)


def one_of(name: str, fields: tuple[str, ...], *, required: bool = False) -> FieldsRule:
    """The rule of a oneof: no more than one of its fields is there.

    Args:
        name: of the oneof.
        fields: the names of its fields.
        required: one is there.
    """
    return FieldsRule(name, "required", "oneof", fields, required=required, present=fields)


def any_of(
    fields: tuple[str, ...], *, present: tuple[str, ...] = (), required: bool = False
) -> FieldsRule:
    """A rule like that of a oneof about fields that are in none.

    Args:
        fields: the names of the fields.
        present: those of them that can be absent. Of the others, zero is not there.
        required: one is there.
    """
    code = "message.oneof"
    return FieldsRule("", code, code, fields, required=required, present=present)


class Message:
    """The table of a message: see `message`."""

    __slots__ = ("by_name", "fields", "name", "rules", "server_rules")

    def __init__(
        self,
        name: str,
        fields: tuple[Field, ...],
        rules: tuple[MessageRule, ...],
        server_rules: tuple[str, ...],
    ) -> None:
        self.name = name
        self.fields = fields
        self.rules = rules
        self.server_rules = server_rules
        self.by_name = {each.name: each for each in fields}

    def __repr__(self) -> str:
        return f"<Message {self.name}: {len(self.fields)} fields>"


def message(
    name: str,
    *fields: Field,
    rules: tuple[MessageRule, ...] = (),
    server_rules: tuple[str, ...] = (),
) -> Message:
    """The table of a message, as generated code says it.

    Args:
        name: within its package.
        fields: its fields.
        rules: the rules about it as a whole.
        server_rules: the ids of those rules, of it or of its fields, that only the server can
            judge, by other means than these tables.

    Example:
        >>> from rhtmx import schema as _s
        >>> message("Task", field("title", _s.STRING))
        <Message Task: 1 fields>
    """
    return Message(name, fields, rules, server_rules)


def normal_fields(
    message: Message, data: Mapping[str, Json], keys: Collection[str] | None = None
) -> dict[str, Json]:
    """What is kept in the place of fields of a record whose texts are not normalised.

    Args:
        message: the table of its fields, which says what is normalised.
        data: the record, as JSON.
        keys: of the fields that are looked at; `None` for all.

    Returns:
        The new values, by key; none, if all of it is as it is kept.

    Example:
        >>> from rhtmx import schema as _s
        >>> task = _s.message("Task", _s.field("title", _s.STRING, normalize=("trim",)))
        >>> normal_fields(task, {"title": " Read it "})
        {'title': 'Read it'}
    """
    found: dict[str, Json] = {}
    for each in message.fields:
        clean = each.kind.clean
        if clean is None or each.key not in data or not (keys is None or each.key in keys):
            continue
        value = clean(data[each.key])
        if value != data[each.key]:
            found[each.key] = value
    return found


def normalizes(message: Message) -> bool:
    """Whether a text of such a record, or of a message within, is normalised.

    Args:
        message: the table of its fields.
    """
    seen: list[Message] = [message]
    for each in seen:  # it grows
        for one in each.fields:
            if one.kind.within is None:
                if one.kind.clean is not None:
                    return True
            elif (inner := one.kind.within()) not in seen:
                seen.append(inner)
    return False
