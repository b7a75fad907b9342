"""The program's functions about the writes of an entity: `prepare` and `check`.

Knows how they are called and measured, and what their answers mean. Must not know how a
write is decided, or who may write.

They run in the transaction, so nothing can interrupt them: each call is measured, and of
a function that once took longer than it should, the log says so.
"""

from __future__ import annotations

import inspect
import logging
import math
from collections.abc import Callable, Collection, Iterable, Mapping

import msgspec

from rhtmx import wire
from rhtmx.errors import ErrorCode, RhtmxError, Violation
from rhtmx.messages import PushFields
from rhtmx_server.access.entity import (
    EntityCheck,
    EntityJudge,
    EntityJudgeLost,
    EntityNormalize,
    EntityPrepare,
)
from rhtmx_server.failures import MisuseError
from rhtmx_server.functions import name_of
from rhtmx_server.model import Commit, Context, Mutation, Record
from rhtmx_server.trackers import json_text as jsontext
from rhtmx_server.trackers.calls import encode_value
from rhtmx_server.trackers.fields import MAX_RECORD
from rhtmx_server.trackers.filling import differing, fill_in
from rhtmx_server.trackers.hidden import hidden_object, together
from rhtmx_server.trackers.json_text import Fields
from rhtmx_server.verdicts import Forbidden, Invalid
from rhtmx_server.writing.rejections import broken, forbidden, invalid, title_of

__all__ = ["EntityFunctions"]

log = logging.getLogger("rhtmx_server")

_parse = msgspec.json.Decoder().decode
_exact = msgspec.json.Decoder(float_hook=lambda text: msgspec.Raw(text.encode())).decode
"""What stands beside a text within a value stays as it was written, to the digit."""


class EntityFunctions:
    """Calls the functions of the program about each write.

    Args:
        measured: takes the name of the entity, and the seconds of each call.
        budget: seconds that a call should take at most.
        max_record: bytes that a record may grow to by what is filled in.
        elapsed: seconds, of a clock that does not jump; by default time stands still.
    """

    def __init__(
        self,
        measured: Callable[[str, float], None] = lambda entity, seconds: None,
        budget: float = math.inf,
        max_record: int = MAX_RECORD,
        elapsed: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._measured = measured
        self._budget = budget
        self._max_record = max_record
        self._elapsed = elapsed
        self._slow: set[str] = set()

    def prepare(
        self,
        functions: Iterable[EntityPrepare],
        mutation: Mutation,
        commit: Commit,
        context: Context,
        hides: Collection[str] = (),
    ) -> Fields:
        """Have a record filled in that a commit creates.

        Args:
            functions: those of its entity.
            mutation: the write.
            commit: what comes of it; it is changed.
            context: version, time and author of the commit.
            hides: the fields of its entity that never leave the server.

        Returns:
            The fields that its author wrote otherwise, or not at all; none that are hidden.

        Raises:
            RhtmxError: `INVALID_DATA`, it has no fields, or they would be too large; or as
                a function says.
            MisuseError: a function returned what cannot be fields.
        """
        record = commit.record
        if not jsontext.is_object(record.data):
            raise RhtmxError(
                ErrorCode.INVALID_DATA,
                f"{title_of(mutation)}: a JSON object expected: the server fills in fields of it",
            )
        written = jsontext.split(together(record.data, record.hidden))
        filled: Fields = {}
        for function in functions:
            filled |= self._fields(function, mutation, jsontext.join({**written, **filled}))
        filled = differing(written, filled)
        hidden = {name: filled.pop(name) for name in hides if name in filled}
        if hidden:
            record.hidden = hidden_object({**jsontext.split(record.hidden), **hidden})
        if filled:
            fill_in(commit, filled, context)
            self._check_size(mutation, record)
        return filled

    def normalize(
        self,
        normalize: EntityNormalize,
        mutation: Mutation,
        commit: Commit,
        keys: Collection[str],
        hides: Collection[str] = (),
    ) -> Fields:
        """Have texts of a record kept as its schema says.

        Args:
            normalize: says what is kept.
            mutation: the write.
            commit: what comes of it; it is changed.
            keys: those that it has changed: all else stands as it is.
            hides: the fields of its entity that never leave the server.

        Returns:
            The fields that are otherwise than they were written; none that are hidden.

        Raises:
            RhtmxError: `INVALID_DATA`, the record would be too large.
        """
        record = commit.record
        if not jsontext.is_object(record.data):
            return {}
        values = normalize(_exact(together(record.data, record.hidden) or b""), keys)
        texts = {key: msgspec.Raw(msgspec.json.encode(each)) for key, each in values.items()}
        hidden = {key: texts.pop(key) for key in hides if key in texts}
        if hidden:
            record.hidden = hidden_object({**jsontext.split(record.hidden), **hidden})
        if texts:
            record.data = jsontext.join({**jsontext.split(record.data), **texts})
            self._check_size(mutation, record)
        return texts

    def check(
        self,
        functions: Iterable[EntityCheck],
        mutation: Mutation,
        before: bytes | None,
        after: bytes | None,
    ) -> None:
        """Have a write checked.

        Args:
            functions: those of its entity.
            mutation: the write.
            before: the record before it, as far as its author may see it; `None` for none.
            after: the record after it; `None` for none.

        Raises:
            RhtmxError: as a function says.
            MisuseError: a function returned something.
        """
        for check in functions:
            # Parsed for each: none of them sees what another one makes of it.
            values = (None if text is None else _parse(text) for text in (before, after))
            answer = self._call("check", check, mutation, *values)
            # One that says `return False` means something, and nobody would hear of it.
            if answer is not None:
                raise _misuse("check", check, answer, "return nothing")

    def judge(
        self,
        judge: EntityJudge,
        mutation: Mutation,
        before: bytes | None,
        after: bytes | None,
        written: Collection[str],
        *,
        measured: bool = False,
    ) -> None:
        """Have a write judged by the rules of a schema.

        Args:
            judge: the rules of its entity.
            mutation: the write.
            before: as for `check`.
            after: as for `check`.
            written: the keys that it has changed; none, where that is not known.
            measured: some of the rules are judged by what is not ours: a call is measured.

        Raises:
            RhtmxError: `INVALID`, with all that is wrong.
        """
        # Not `isinstance`: for messages that is a call.
        named = type(mutation.message) is PushFields
        self._judged(judge, mutation, measured, before, after, written, named)

    def judge_lost(
        self,
        judge: EntityJudgeLost,
        mutation: Mutation,
        lost: Mapping[str, bytes | None],
        *,
        measured: bool = False,
    ) -> None:
        """Have what lost judged by the rules of a schema.

        Args:
            judge: the rules of its entity.
            mutation: the write.
            lost: see `EntityJudgeLost`.
            measured: as for `judge`.

        Raises:
            RhtmxError: `INVALID`, with all that is wrong.
        """
        self._judged(judge, mutation, measured, lost)

    def _judged(
        self, judge: Callable[..., None], mutation: Mutation, measured: bool, *write: object
    ) -> None:
        started = self._elapsed() if measured else 0.0
        try:
            judge(mutation.who, *write)
        except Invalid as verdict:
            raise broken(map(_violation, verdict.violations)) from None
        finally:
            if measured:
                spent = self._elapsed() - started
                self._measure("rules", "server_only_rules", mutation.write.entity, spent)

    def _fields(self, function: EntityPrepare, mutation: Mutation, record: bytes) -> Fields:
        answer = self._call("prepare", function, mutation, _parse(record))
        if answer is None:
            return {}
        if not isinstance(answer, Mapping):
            raise _misuse("prepare", function, answer, "return a dict of fields, or nothing")
        try:
            return jsontext.split(encode_value(dict(answer), "its fields", wire.check_json))
        except RhtmxError as error:
            raise MisuseError(f"prepare {name_of(function)}: {error.message}") from None

    def _call(
        self, kind: str, function: Callable[..., object], mutation: Mutation, *values: object
    ) -> object:
        started = self._elapsed()
        try:
            return function(mutation.who, *values)
        except Forbidden as verdict:
            raise forbidden(mutation, str(verdict.message)) from None
        except Invalid as verdict:
            raise invalid(str(verdict.message), map(_violation, verdict.violations)) from None
        finally:
            self._measure(kind, function, mutation.write.entity, self._elapsed() - started)

    def _measure(self, kind: str, function: object, entity: str, seconds: float) -> None:
        self._measured(entity, seconds)
        if seconds <= self._budget:
            return
        said = function if isinstance(function, str) else f"{kind} {name_of(function)}"
        name = f"entity {entity!r}: {said}"
        if name not in self._slow:
            self._slow.add(name)
            log.warning(
                "%s took %.3f s, and should take %g s at most (check_budget): every other write "
                "waits for it. It is said once, rhtmx_check_seconds has all calls",
                name,
                seconds,
                self._budget,
            )

    def _check_size(self, mutation: Mutation, record: Record) -> None:
        size = len(record.data or b"")
        if size > self._max_record:
            raise RhtmxError(
                ErrorCode.INVALID_DATA,
                f"{title_of(mutation)} would have {size} bytes with what the server fills in, at "
                f"most {self._max_record} are allowed: write less",
            )


def _violation(verdict: Invalid) -> Violation:
    return Violation(str(verdict.field), str(verdict.code), str(verdict.message), verdict.metadata)


def _misuse(kind: str, function: object, answer: object, expected: str) -> MisuseError:
    what = type(answer).__name__
    if inspect.isawaitable(answer):
        if inspect.iscoroutine(answer):
            answer.close()  # else Python says that it was never awaited, and not where
        what = f"{what}, which waits, and a {kind} runs in the transaction"
    return MisuseError(
        f"{kind} {name_of(function)} returned {what}: {expected}, raise Forbidden(...) or "
        "Invalid(...)"
    )
