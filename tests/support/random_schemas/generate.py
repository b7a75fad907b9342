"""Random schemas.

Knows which fields, messages and options there are. Rules come from `rules` and `cel`.
"""

from __future__ import annotations

from random import Random

from tests.support.random_schemas import cel, rules
from tests.support.random_schemas.cel import Known
from tests.support.random_schemas.texts import (
    ENUMS,
    SCALARS,
    Application,
    Field,
    Message,
    Rule,
    Slot,
    quoted,
)

__all__ = ["application"]

_WRAPPED = {
    "string": "String",
    "bool": "Bool",
    "bytes": "Bytes",
    "int32": "Int32",
    "int64": "Int64",
    "uint32": "UInt32",
    "uint64": "UInt64",
    "float": "Float",
    "double": "Double",
}
_KNOWN = {
    "timestamp": "google.protobuf.Timestamp",
    "duration": "google.protobuf.Duration",
    "field_mask": "google.protobuf.FieldMask",
}
_NAMES = (
    *("constructor", "valueOf", "class", "lambda", "this", "self", "now", "rule", "s", "is"),
    *("hasOwnProperty", "to_string", "default", "value", "name", "list"),
)
_KEYS = tuple(each for each in SCALARS if each not in {"float", "double", "bytes"})
_64_BITS = frozenset(("int64", "sint64", "sfixed64", "uint64", "fixed64"))
_PREDEFINED: dict[str, tuple[tuple[str, str, str], ...]] = {
    # Kind → type of the argument, the rule, an argument.
    "string": (
        ("optional string", "this.startsWith(rule)", '"a"'),
        (
            "optional uint64",
            "uint(size(this)) <= rule ? '' : 'is longer than ' + string(rule)",
            "3",
        ),
        ("optional bool", "!rule || this != ''", "true"),
        ("repeated string", "!(this in rule)", '"b"'),
        ("optional int32", "size(this) % rule == 0", "0"),
        ("optional string", "rules.min_len == 0u || this.endsWith(rule)", '""'),
    ),
    "bytes": (
        ("optional bytes", "this != rule", '"a"'),
        ("optional int64", "size(this) < rule", "4"),
    ),
    "bool": (("optional bool", "this == rule", "false"),),
    "enum": (("optional int32", "int(this) != rule", "2"),),
    "timestamp": (
        ("optional google.protobuf.Timestamp", "this >= rule", "{ seconds: 1700000000 }"),
        ("optional bool", "!rule || this.getFullYear() > 1970", "true"),
    ),
    "duration": (("optional google.protobuf.Duration", "this != rule", "{ seconds: 1 }"),),
    "repeated": (("optional uint64", "uint(size(this)) != rule", "2"),),
    "map": (("optional int64", "size(this) % rule == 0", "2"),),
}
_OF_NUMBERS = (
    ("optional {0}", "this != rule", "2"),
    ("optional {0}", "this / rule >= {1}", "0"),
    ("repeated {0}", "this in rule", "7"),
    ("optional bool", "!rule || this > {1}", "true"),
    ("optional {0}", "this <= rule || rules.const == rule", "3"),
)
_RULES = {
    **{
        kind: f"{kind[0].upper()}{kind[1:]}Rules"
        for kind in (*SCALARS, "enum", "timestamp", "duration")
    },
    "uint32": "UInt32Rules",
    "uint64": "UInt64Rules",
    "sint32": "SInt32Rules",
    "sint64": "SInt64Rules",
    "sfixed32": "SFixed32Rules",
    "sfixed64": "SFixed64Rules",
    "repeated": "RepeatedRules",
    "map": "MapRules",
}


def application(random: Random, number: int) -> Application:
    """A random schema.

    Args:
        random: where chance comes from.
        number: of its package; no other one has it that is compiled at the same time.
    """
    return _Maker(random, number).made()


class _Maker:
    """Makes one schema."""

    def __init__(self, random: Random, number: int) -> None:
        self._random = random
        self._first = 80_000 + 200 * number
        names = ["Record", "Child", "Part"][: random.choice((1, 2, 2, 3))]
        self._application = Application(f"s{number}", {name: Message(name) for name in names})
        self._ids = 0
        self._extensions: dict[str, list[tuple[str, str, str, int]]] = {}

    def made(self) -> Application:
        """It, with all fields first, since rules in CEL speak of them."""
        messages = list(self._application.messages.values())
        for index, message in enumerate(messages):
            # The first reaches the others; a message may hold itself.
            self._fields(message, [each.name for each in messages[index:]])
        for message in messages:
            for field in message.fields:
                self._rules(field)
            self._message_rules(message)
        for kind, found in self._extensions.items():
            lines = " ".join(self._extension(*each) for each in found)
            self._application.predefined.append(f"extend buf.validate.{_RULES[kind]} {{ {lines} }}")
        return self._application

    # Fields

    def _fields(self, message: Message, within: list[str]) -> None:
        random = self._random
        oneofs = ["choice"][: random.random() < 0.3]
        message.oneofs = {each: random.random() < 0.4 for each in oneofs}
        for number in range(1, random.choice((2, 3, 4, 5, 6, 8)) + 1):
            oneof = random.choice((*oneofs, "", "")) if oneofs else ""
            message.fields.append(self._field(number, within, oneof))
        if message.name == "Record" and len(within) > 1 and random.random() < 0.7:
            number = len(message.fields) + 1
            many = random.choice(("", "", "repeated", "map"))
            slot = Slot(within[1], "message")
            key = Slot("string", "string") if many == "map" else None
            message.fields.append(Field(f"f{number}", number, slot, key, many))

    def _field(self, number: int, within: list[str], oneof: str) -> Field:
        random = self._random
        many = "" if oneof else random.choice(("", "", "", "", "repeated", "map"))
        name = self._name(number)
        field = Field(name, number, self._slot(within), many=many, oneof=oneof)
        if many == "map":
            key = random.choice(_KEYS)
            field.key = Slot(key, key)
        scalar = field.value.type in SCALARS or field.value.kind == "enum"
        field.optional = not many and not oneof and scalar and random.random() < 0.3
        if field.value.type in _64_BITS and many != "map" and random.random() < 0.15:
            field.others.append("jstype = JS_STRING")
        if random.random() < 0.05:
            key = random.choice(("key", "a b", "e-mail", "0", "constructor", "\u00e9"))
            field.others.append(f'json_name = "{key}{number}"')
        return field

    def _name(self, number: int) -> str:
        """A name; few have one that means something in a language."""
        if self._random.random() < 0.9:
            return f"f{number}"
        # Each is had once: numbers tell them apart.
        return _NAMES[number % len(_NAMES)]

    def _slot(self, within: list[str]) -> Slot:
        random = self._random
        chance = random.random()
        if chance < 0.1:
            kind = random.choice(list(_WRAPPED))
            return Slot(f"google.protobuf.{_WRAPPED[kind]}Value", kind, wrapper=True)
        if chance < 0.25:
            kind = random.choice(("timestamp", "timestamp", "duration", "duration", "field_mask"))
            return Slot(_KNOWN[kind], kind)
        if chance < 0.32:
            return Slot(random.choice(within), "message")
        if chance < 0.4:
            return Slot(random.choice(list(ENUMS)), "enum")
        if chance < 0.6:
            return Slot("string", "string")
        if chance < 0.65:
            return Slot("bytes", "bytes")
        kind = random.choice(SCALARS)
        return Slot(kind, kind)

    # Rules

    def _rules(self, field: Field) -> None:
        random = self._random
        if field.many:
            makers = {"repeated": rules.list_rules, "map": rules.map_rules}
            field.rules += makers[field.many](random)
            self._custom(field.rules, field.many, cel.of_field(self._application, field))
            self._traits(field.rules)
            for slot in (field.value, field.key):
                if slot is not None and random.random() < 0.6:
                    self._of_slot(slot, field.many)
        elif random.random() < 0.85:
            self._of_slot(field.value, "")

    def _of_slot(self, slot: Slot, within: str) -> None:
        random = self._random
        slot.rules += rules.value_rules(random, slot.kind)
        self._custom(slot.rules, slot.kind, cel.of_value(self._application, slot))
        self._traits(slot.rules, single=not within)
        if slot.kind not in {"message", "string"} and random.random() < 0.01:
            slot.rules = [Rule(("string.min_len = 1",), (), "string.min_len")]

    def _traits(self, found: list[Rule], *, single: bool = True) -> None:
        random = self._random
        if random.random() < (0.2 if single else 0.02):
            found.append(Rule(("required = true",), (), "required"))
        if random.random() < 0.25:
            word = random.choice(("UNSPECIFIED", "IF_ZERO_VALUE", "IF_ZERO_VALUE", "ALWAYS"))
            found.append(Rule((f"ignore = IGNORE_{word}",), (), "ignore"))

    def _custom(self, found: list[Rule], kind: str, known: Known) -> None:
        random = self._random
        if known.values and random.random() < 0.3:
            found += [self._cel(known) for _ in range(random.choice((1, 1, 2)))]
        if kind in _RULES and random.random() < 0.12:
            found.append(self._predefined(kind))

    def _cel(self, known: Known) -> Rule:
        text, edges = cel.expression(self._random, known)
        if self._random.random() < 0.15:
            return Rule((f"cel_expression = {quoted(text)}",), edges, text)
        self._ids += 1
        name = f"c{self._ids}"
        return Rule((f'cel = {{ id: "{name}" expression: {quoted(text)} }}',), edges, name)

    def _predefined(self, kind: str) -> Rule:
        known = self._extensions.setdefault(kind, [])
        if kind in _PREDEFINED:
            type_, expression, argument = self._random.choice(_PREDEFINED[kind])
        else:
            zero = (
                "0.0"
                if kind in {"float", "double"}
                else "0u"
                if kind[0] == "u" or kind[:2] == "fi"
                else "0"
            )
            type_, expression, argument = (
                each.format(kind, zero) for each in self._random.choice(_OF_NUMBERS)
            )
        name = f"own_{kind}_{len(known)}"
        number = self._first + sum(map(len, self._extensions.values()))
        known.append((type_, expression, name, number))
        text = f"{kind}.({self._application.package}.{name}) = {argument}"
        return Rule((text,), (), name)

    def _extension(self, type_: str, expression: str, name: str, number: int) -> str:
        return (
            f"{type_} {name} = {number} [(buf.validate.predefined).cel = "
            f'{{ id: "{name}" expression: {quoted(expression)} }}];'
        )

    def _message_rules(self, message: Message) -> None:
        random = self._random
        known = cel.of_message(self._application, message)
        if known.values and random.random() < 0.5:
            message.rules += [self._cel(known) for _ in range(random.choice((1, 2)))]
        free = [each.name for each in message.fields if not each.oneof]
        if len(free) > 1 and random.random() < 0.12:
            message.rules.append(self._fields_rule(random.sample(free, 2)))

    def _fields_rule(self, names: list[str]) -> Rule:
        required = " required: true" if self._random.random() < 0.5 else ""
        listed = ", ".join(f'"{each}"' for each in names)
        return Rule((f"oneof = {{ fields: [{listed}]{required} }}",), (), "message.oneof")
