"""What comes of a call, as an assistant reads it. Pure.

Knows what is said of records, writes and errors. Must not know how the protocol carries it. An
answer is the same twice: as an object, and as text for those who read no objects. What went wrong
is said so that a model can mend it: the field, the rule, the words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.errors import ErrorCode, RhtmxError, Violation
from rhtmx.mcp.document import DeclaredMessage, SchemaDocument
from rhtmx.mcp.listing import KnownRecord, ListedRecords
from rhtmx.mcp.secrets import without_secrets
from rhtmx.values.history import History, HistoryCommit
from rhtmx.values.json_value import Json
from rhtmx.values.results import Conflict, FieldPushResult, FormValidation, PushResult

__all__ = ["ToolAnswer", "ToolAnswers", "failed", "judged", "with_earlier"]


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """The answer to a call.

    Attributes:
        content: it, as an object.
        text: it, as text.
        failed: it was not done.
    """

    content: Mapping[str, Any]
    text: str
    failed: bool = False


class ToolAnswers:
    """The answers of one entity.

    Args:
        entity: what is declared of it.
        document: the schema that it is of.
    """

    def __init__(self, entity: DeclaredMessage, document: SchemaDocument) -> None:
        self._entity = entity
        self._document = document

    def page(self, page: ListedRecords) -> ToolAnswer:
        """Some records."""
        content: dict[str, Any] = {
            "records": [self._record(each) for each in page.records],
            "total": page.total,
        }
        return _done(content | ({} if page.next is None else {"next": page.next}))

    def record(self, record: KnownRecord) -> ToolAnswer:
        """One record."""
        return _done({"record": self._record(record)})

    def history(self, history: History[Json]) -> ToolAnswer:
        """The commits of a record."""
        content: dict[str, Any] = {"commits": [self._commit(each) for each in history]}
        if history.before is not None:
            content["before"] = history.before
        return _done({**content, "complete": history.complete})

    def written(self, result: PushResult | FieldPushResult) -> ToolAnswer:
        """A write that is durable."""
        content: dict[str, Any] = {"id": result.entity_id, "version": result.version}
        if result.prepared:
            content["filled_in"] = self._shown(result.prepared)
        conflicts = result.conflicts if isinstance(result, FieldPushResult) else ()
        lost = [each for each in conflicts if each.winner != "client"]
        if not lost:
            return _done(content)
        content["lost"] = [self._lost(each) for each in lost]
        names = ", ".join(dict.fromkeys(each.field for each in lost))
        words = (
            f"{names}: not written: somebody else has written it, and that stays. Get the record, "
            "and edit it again if it shall be otherwise. The other fields are written."
        )
        return ToolAnswer(content, f"{words}\n{_text(content)}", failed=True)

    def _lost(self, conflict: Conflict) -> dict[str, Any]:
        shown = self._shown({conflict.field: conflict.server_value})
        return {"field": conflict.field} | (
            {"value": shown[conflict.field]} if conflict.field in shown else {}
        )

    def _record(self, record: KnownRecord) -> dict[str, Any]:
        return {"id": record.id, "version": record.version, "data": self._shown(record.data)}

    def _commit(self, commit: HistoryCommit[Json]) -> dict[str, Any]:
        told = {
            "version": commit.version,
            "action": commit.action,
            "changed": list(commit.changed),
            "subject": commit.subject,
            "client_id": commit.client_id,
            "created_at": commit.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        }
        known = {name: value for name, value in told.items() if value is not None}
        return known if commit.data is None else {**known, "data": self._shown(commit.data)}

    def _shown(self, data: Json) -> Any:
        return without_secrets(data, self._entity.schema, self._document)


def judged(result: FormValidation) -> ToolAnswer:
    """Whether a form is valid."""
    errors = [{"field": each.field, "message": each.error} for each in result.errors]
    return _done({"valid": result.valid, "errors": errors})


def failed(error: RhtmxError, about: DeclaredMessage | None = None, doing: str = "") -> ToolAnswer:
    """What was not done, and why.

    Args:
        error: what was said of it.
        about: the entity or form.
        doing: what was asked for: an action.
    """
    found = [_keyed(each, about) for each in error.violations]
    violations = [{"field": e.field, "rule": e.code, "message": e.message} for e in found]
    words = _PLACE.sub("", error.message)
    if violations:
        words = "it would break these rules, nothing was written"
    advice = _advice(error, doing)
    message = f"{words}: {advice}" if advice else words
    told: dict[str, Any] = {"code": _code(error), "message": message}
    if violations:
        told["violations"] = violations
    return ToolAnswer({"error": told}, "\n".join([message, *map(_line, found)]), failed=True)


def _line(violation: Violation) -> str:
    rule = f" ({violation.code})" if violation.code else ""
    return f"- {violation.field or 'the record'}: {violation.message}{rule}"


def _code(error: RhtmxError) -> str:
    if error.code is ErrorCode.UNSPECIFIED:
        return "no_connection" if isinstance(error, ConnectionClosed) else "failed"
    return error.code.name.lower()


_PLACE = re.compile(r"^push(_fields)?\.[a-z_]+: ")
"""Where in the message to the server it is wrong, which no assistant sees."""

_ADVICE: Mapping[ErrorCode, str] = {
    ErrorCode.FORBIDDEN: "whoever this runs for may not do it; to repeat it does not help",
    ErrorCode.UNAUTHENTICATED: "whoever runs `rhtmx mcp` has to give a token that holds",
    ErrorCode.NOT_FOUND: "look for ids with the action list; what may not be read is not there",
    ErrorCode.UPGRADE_REQUIRED: "the application has another schema now: list the tools again",
    ErrorCode.UNKNOWN_ENTITY: "the application has another schema now: list the tools again",
    ErrorCode.UNKNOWN_FORM: "the application has another schema now: list the tools again",
}
_CONFLICTS: Mapping[str, str] = {
    "create": "leave 'id' out for a new record, or edit the one that is there",
}
_AGAIN = "get the record again, look at what others have written, then repeat with its version"


def _advice(error: RhtmxError, doing: str) -> str:
    if error.code is ErrorCode.CONFLICT:
        return _CONFLICTS.get(doing, _AGAIN)
    if words := _ADVICE.get(error.code):
        return words
    return "nothing is wrong with it: try again in a while" if error.retryable else ""


def _keyed(violation: Violation, about: DeclaredMessage | None) -> Violation:
    """A violation with the key of its field, where the schema calls it otherwise."""
    for field in about.fields.values() if about is not None else ():
        rest = violation.field.removeprefix(field.name)
        if field.name != field.key and rest != violation.field and rest[:1] in ("", ".", "["):
            return replace(violation, field=field.key + rest)
    return violation


def with_earlier(answer: ToolAnswer, earlier: Iterable[str]) -> ToolAnswer:
    """An answer that also says what became of writes that had not been answered in time.

    Args:
        answer: it.
        earlier: what became of each.
    """
    told = list(earlier)
    if not told:
        return answer
    lines = "\n".join([answer.text, *map("Earlier: {}".format, told)])
    return replace(answer, content={**answer.content, "earlier": told}, text=lines)


def _done(content: Mapping[str, Any]) -> ToolAnswer:
    return ToolAnswer(content, _text(content))


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False)
