"""Rules that are not compiled, judged by the package `protovalidate`.

Knows that package, and the descriptors in which each rule stands alone. Must not know the other
rules, nor where a record comes from.

It judges where the other rules are judged, in the transaction of a write: nothing can interrupt
it. So a rule is only asked where a field that it reads has changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from rhtmx.errors import Violation
from rhtmx.schema.declared import Schema, ServerRule, Shape
from rhtmx.schema.judge import read_values
from rhtmx.schema.message import Field, Message
from rhtmx.values.json_value import Json
from rhtmx_server.schema.engine_values import UnknownWordError, fill

__all__ = ["Engine", "engine_of"]

_CANNOT: Final = "cannot be judged: "
_FALSE: Final = re.compile(r'"(.*)" returned false', re.DOTALL)


class Engine:
    """Judges what an entity or a form has of such rules.

    Args:
        table: of its message.
        rules: they.
    """

    def __init__(self, table: Message, rules: Sequence[EngineRule]) -> None:
        self._table = table
        self._rules = rules

    def judge(
        self,
        data: Mapping[str, Json],
        changed: Collection[str] | None = None,
        *,
        fields: Collection[str] | None = None,
    ) -> Iterator[Violation]:
        """Judge a record.

        Args:
            data: all of it, as JSON.
            changed: the names of the fields that were written; `None` for all.
            fields: only the rules of values of these fields are judged, where they are named; of
                the message as a whole, `""`.

        Yields:
            What is wrong. A rule that reads what cannot be read says nothing: the field does.
        """
        for rule in self._rules:
            if fields is not None and rule.said.field not in fields:
                continue
            if changed is None or _touches(rule.said.reads, changed):
                values = read_values(self._table, data, rule.said.reads)
                if values is not None:
                    yield from rule.judge(values)


def _touches(reads: Collection[str], changed: Collection[str]) -> bool:
    return any(each in changed for each in reads) if reads else bool(changed)


class EngineRule:
    """One rule, with what it takes to judge it.

    Args:
        engine: the module `protovalidate`.
        said: the rule.
        imports: the descriptors of the whole schema, by the name of the file.
        is_secret: it may read what no error should say.

    Raises:
        ValueError: it cannot be compiled.
    """

    def __init__(
        self, engine: Any, said: ServerRule, imports: Mapping[str, Any], is_secret: bool
    ) -> None:
        self.said = said
        self._is_secret = is_secret
        self._failure = engine.EvaluationError
        self._class = _class_of(said, imports)
        # One of its own: what has seen a type takes another one of its name for the same.
        self._collect = engine.Validator().collect_violations
        try:
            self._collect(self._class())
        except engine.EvaluationError:
            pass  # it does not hold for an empty one
        except engine.CompilationError as error:
            raise ValueError(
                f"{said.kind} {said.name!r}: nobody can judge the rule {said.id}, which is among "
                f"its server_only_rules: {error}"
            ) from None

    def judge(self, values: Mapping[str, Any]) -> Iterator[Violation]:
        """Judge the values of the fields that it reads.

        Args:
            values: by name, as rules have them.

        Yields:
            What is wrong.
        """
        message = self._class()
        try:
            fill(message, values)
            found = self._collect(message)
        except UnknownWordError:
            yield self._violation(self.said.field, f"{_CANNOT}unknown value")
            return
        except self._failure as error:
            why = str(error).removeprefix(f"error evaluating {self.said.id}: ")
            why = "a value is secret" if self._is_secret else why
            yield self._violation(self.said.field, f"{_CANNOT}{why}")
            return
        for each in found:
            yield self._violation(_path(each.proto.field), _words(each.proto.message))

    def _violation(self, path: str, words: str) -> Violation:
        return Violation(path, self.said.id, self.said.words or words)


def engine_of(schema: Schema, shape: Shape[Any], kind: str) -> Engine | None:
    """What judges the rules of an entity or a form that are left to the server; `None`: none are.

    Args:
        schema: it.
        shape: of the entity or form.
        kind: `entity` or `form`.

    Raises:
        ImportError: `protovalidate` is not installed.
        ValueError: a rule cannot be judged by it, or what was generated is too old.
    """
    wanted = [each for each in schema.server_rules if (each.kind, each.name) == (kind, shape.name)]
    missing = set(shape.rules.server_rules) - {each.id for each in wanted}
    if missing:
        raise ValueError(
            f"{kind} {shape.name!r}: an older version of rhtmx has generated the schema, and "
            f"nothing for its server_only_rules {', '.join(sorted(missing))}: generate it anew"
        )
    if not wanted:
        return None
    engine = _package(f"{kind} {shape.name!r}", wanted)
    imports = {
        each.name: each
        for each in descriptor_pb2.FileDescriptorSet.FromString(schema.descriptors).file
    }
    secrets = {each.name for each in shape.rules.fields if each.server_only or _has_secrets(each)}
    rules = [
        EngineRule(engine, each, imports, bool(secrets.intersection(each.reads or secrets)))
        for each in wanted
    ]
    return Engine(shape.rules, rules)


def _has_secrets(field: Field) -> bool:
    """Whether it is secret, or something in the messages within it."""
    fields, seen = [field], set[str]()
    for each in fields:  # it grows
        if each.secret:
            return True
        within = None if each.kind.within is None else each.kind.within()
        if within is not None and within.name not in seen:
            seen.add(within.name)
            fields += within.fields
    return False


def _package(what: str, wanted: Sequence[ServerRule]) -> Any:
    try:
        import protovalidate
    except ImportError as error:
        ids = ", ".join(dict.fromkeys(each.id for each in wanted))
        raise ImportError(
            f"{what}: the server_only_rules {ids} are judged by 'protovalidate', which is not "
            "installed: pip install 'rhtmx[server,rules]', or '.[server,rules]' in a checkout"
        ) from error
    return protovalidate


def _class_of(said: ServerRule, imports: Mapping[str, Any]) -> Any:
    """The class of the message in which a rule stands alone, in a pool of its own."""
    own = descriptor_pb2.FileDescriptorSet.FromString(said.files).file
    files = {**imports, **{each.name: each for each in own}}
    pool = descriptor_pool.DescriptorPool()
    for each in files.values():  # each after those that it imports
        pool.AddSerializedFile(each.SerializeToString())
    message_factory.GetMessageClassesForFiles(list(files), pool)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(said.message))


def _words(message: str) -> str:
    """What is wrong; of a rule without words, as our own judge says it."""
    said = _FALSE.fullmatch(message)
    return f"must satisfy {said[1]}" if said else message


def _path(path: Any) -> str:
    text = ""
    for each in () if path is None else path.elements:
        text += f".{each.field_name}" if text else each.field_name
        if each.subscript is not None:
            key = each.subscript.value
            text += f"[{_key(key)}]"
    return text


def _key(key: object) -> str:
    if isinstance(key, str):
        return json.dumps(key, ensure_ascii=False)
    return str(key).lower() if isinstance(key, bool) else str(key)
