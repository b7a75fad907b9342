"""Plays a scenario of `tests/vectors/scenarios` against the client's deciding core."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rhtmx.core import build_message
from rhtmx.core.conflict import ConflictSides
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.core.events import Answered, Conflicted, Refused
from rhtmx.core.granularity import Granularity
from rhtmx.core.transactions import TransactionWrites
from rhtmx.core.where import where_of
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Authenticate,
    Authenticated,
    Change,
    ChangeAction,
    ChangeLog,
    Error,
    FieldAction,
    FieldChange,
    FieldChangeLog,
    FieldConflict,
    FieldPushAck,
    Limits,
    MergeStrategy,
    Ping,
    Pong,
    PushAck,
    PushFields,
    SyncComplete,
    SyncFieldsComplete,
    ValidationResult,
    Welcome,
    Winner,
)
from rhtmx.messages.tables import (
    ERROR_CODE_SPELLINGS,
    ERROR_CODE_VALUES,
    FIELD_ACTION_VALUES,
)
from rhtmx.stores.memory import MemoryStore
from rhtmx.unknown_enum_values import spelled
from rhtmx.values.conflict_side import merged
from rhtmx.values.field_operations import FieldOperation, operation_of
from rhtmx.wire import Format, Message, ServerReader, encode
from tests.support.stepped import Stepped

FOLDER = Path(__file__).parents[1] / "vectors" / "scenarios"
ENTITY = "tasks"
AT = datetime(2026, 1, 1, tzinfo=UTC)


def scenarios() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Name and steps of every scenario."""
    for path in sorted(FOLDER.glob("*.json")):
        for each in json.loads(path.read_text())["scenarios"]:
            yield f"{path.stem}: {each['name']}", each["steps"]


class Play:
    """One client and what happens to it; a step that does not hold raises `AssertionError`."""

    def __init__(self) -> None:
        self.store = MemoryStore("c")
        self.now = 0.0
        self.granularity = Granularity.RECORDS
        self.epoch = ""
        self.starts = 0
        self.sent: list[dict[str, Any]] = []
        self.ids: dict[str, str] = {}
        self.outcomes: dict[str, Any] = {}
        self.noted: set[str] = set()
        self.conflicts: list[ConflictSides] = []
        self.reported: list[dict[str, Any]] = []
        self.authenticate = ""
        self.pings = 0
        self.session = self.start()

    def start(self) -> Stepped:
        """The program starts, with what was stored."""
        self.starts += 1
        # The first number goes into the ids, which differ from run to run.
        numbers = iter([self.starts / 1000])
        session = Stepped("c", lambda: next(numbers, 0.5))
        session.local.load(self.store.load())
        return session

    def step(self, step: dict[str, Any]) -> None:
        """Take one step."""
        what = next(iter(step))
        said = step[what]
        # What names no request is about what was said before the last ping.
        late = what == "error" and not {"seq", "check"} & said.keys()
        if not late:
            self.pong()
        getattr(self, f"do_{what}")(said, step)
        if late:
            self.pong()
        self.settle()

    def settle(self) -> None:
        """Do everything that follows by itself."""
        while True:
            if self.session.local.pending_ops:
                self.session.keep(self.store)
            self.note()
            messages = self.session.take(self.now)
            for message in messages:
                if self.session.fits(message, len(encode(message, Format.JSON))):
                    self.say(message)
            if not messages and (self.store.failure or not self.session.local.pending_ops):
                return

    def say(self, message: Message) -> None:
        self.pings += isinstance(message, Ping)
        if isinstance(message, Authenticate):
            self.authenticate = message.request_id or ""
        if not isinstance(message, Ping | Pong):
            self.sent.append(plain(message))

    def pong(self) -> None:
        """Answer the pings, one step late."""
        pings, self.pings = self.pings, 0
        for _ in range(pings if self.session.is_open else 0):
            self.session.receive(Pong(), self.now)
        self.settle()

    def note(self) -> None:
        for event in self.session.events():
            if isinstance(event, Answered) and isinstance(event.message, PushAck | FieldPushAck):
                self.outcomes[event.request_id] = {"version": event.message.version}
            elif isinstance(event, Answered):
                self.outcomes[event.request_id] = "answered"
            elif isinstance(event, Refused):
                code = spelled(ERROR_CODE_SPELLINGS, event.error.code)
                self.outcomes[event.request_id] = {"code": code}
            elif isinstance(event, Conflicted):
                self.conflicts.append(event.conflict)
                self.reported.append(shown(event.conflict))

    def write(self, request_id: str | None, step: dict[str, Any]) -> None:
        if request_id is not None:
            self.ids[step["as"]] = request_id
            self.outcomes[request_id] = "waiting"

    # What happens.

    def do_open(self, granularity: str, step: dict[str, Any]) -> None:
        self.granularity = Granularity(granularity)
        self.session.open(ENTITY, self.granularity, where_of(step.get("where"), ENTITY))

    def do_close(self, _: object, step: dict[str, Any]) -> None:
        view = self.session.local.get(ENTITY, where_of(step.get("where"), ENTITY))
        assert view is not None
        self.session.shut(view)

    def do_connect(self, _: object, step: dict[str, Any]) -> None:
        self.session.connected(self.now)

    def do_welcome(self, says: dict[str, Any], step: dict[str, Any]) -> None:
        self.epoch = says["epoch"]
        most = says.get("message_bytes", 65536)
        questions = says.get("requests", 64)
        limits = Limits(message_bytes=most, subscriptions=128, requests=questions)
        self.hear(
            Welcome(
                "s",
                says["epoch"],
                says["last_seq"],
                20_000,
                limits,
                AT,
                secret=says.get("secret"),
            )
        )

    def do_refuse(self, code: str, step: dict[str, Any]) -> None:
        try:
            self.hear(Error("no", ERROR_CODE_VALUES[code]))
        except ConnectionClosed as error:
            self.session.close(error)
        except RhtmxError:
            self.session.lost(self.now)

    def do_change(self, says: dict[str, Any], step: dict[str, Any]) -> None:
        gone = "data" not in says
        log = ChangeLog(
            entity=ENTITY,
            entity_id=says["id"],
            action=ChangeAction.DELETE if gone else ChangeAction.UPDATE,
            data=None if gone else text(says["data"]),
            version=says["version"],
            client_id=says.get("client_id", "other"),
            created_at=AT,
            left=says.get("left"),
        )
        self.hear(Change(log))

    def do_field_change(self, says: dict[str, Any], step: dict[str, Any]) -> None:
        gone = "value" not in says
        log = FieldChangeLog(
            entity=ENTITY,
            entity_id=says["id"],
            field=says["field"],
            action=FieldAction.DELETE if gone else FieldAction.UPDATE,
            value=None if gone else text(says["value"]),
            version=says["version"],
            more=says.get("more"),
            timestamp=AT,
            left=says.get("left"),
        )
        self.hear(FieldChange(log))

    def do_synced(self, says: dict[str, Any], step: dict[str, Any]) -> None:
        kind = SyncComplete if self.granularity is Granularity.RECORDS else SyncFieldsComplete
        complete = kind(ENTITY, says["version"], self.epoch, says.get("reset", False))
        complete.where = text(says["where"]) if "where" in says else None
        complete.scope = says.get("scope")
        self.hear(complete)

    def do_ack(self, says: dict[str, Any], step: dict[str, Any]) -> None:
        row = self.session.local.writes.queue.numbered(says["seq"])
        fields = row is not None and isinstance(row.message, PushFields)
        version, seq, duplicate = says["version"], says["seq"], says.get("duplicate")
        prepared = text(says["prepared"]) if "prepared" in says else None
        answer = FieldPushAck(ENTITY, "1", 1) if fields else PushAck(ENTITY, "1")
        told = {"version": version, "seq": seq, "duplicate": duplicate, "prepared": prepared}
        self.hear(replace(answer, **told))

    def do_conflict(self, says: dict[str, Any], step: dict[str, Any]) -> None:
        message = FieldConflict(
            entity=ENTITY,
            entity_id=says["id"],
            field=says["field"],
            server_value=text(says["theirs"]) if "theirs" in says else None,
            server_timestamp=AT,
            client_value=text(says["mine"]) if "mine" in says else None,
            client_timestamp=AT,
            version=says["version"],
            winner=Winner[says["winner"].upper()],
            strategy=MergeStrategy.LAST_WRITE_WINS,
            seq=says["seq"],
        )
        self.hear(message)

    def do_error(self, says: dict[str, Any], step: dict[str, Any]) -> None:
        details = text(says["details"]) if "details" in says else None
        code = ERROR_CODE_VALUES[says["code"]]
        named = self.ids[says["check"]] if "check" in says else None
        wait = says.get("retry_after")
        self.hear(Error("no", code, named, says.get("seq"), details=details, retry_after=wait))

    def do_hears(self, says: dict[str, Any], step: dict[str, Any]) -> None:
        reader = ServerReader(lambda where, what: self.noted.add(f"{where}: {what}"))
        message = reader.json(json.dumps(says).encode())
        if message is not None:
            self.hear(message)

    def do_noted(self, expected: list[str], step: dict[str, Any]) -> None:
        assert sorted(self.noted) == sorted(expected)

    def do_checked(self, name: str, step: dict[str, Any]) -> None:
        self.hear(ValidationResult(self.ids[name], "signup", "email", valid=True))

    def do_check(self, value: str, step: dict[str, Any]) -> None:
        question = build_message.validate_field("signup", "email", value, {}, None)
        self.write(self.session.ask(question), step)

    def do_authenticated(self, _: object, step: dict[str, Any]) -> None:
        self.hear(Authenticated(request_id=self.authenticate))

    def do_lose(self, code: int, step: dict[str, Any]) -> None:
        self.session.lost(self.now, code)

    def do_elapse(self, milliseconds: int, step: dict[str, Any]) -> None:
        until = self.now + milliseconds / 1000
        while (deadline := self.session.deadline) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            assert self.session.tick(self.now), "the server is gone"
            self.settle()
        self.now = until

    def do_restart(self, _: object, step: dict[str, Any]) -> None:
        self.session = self.start()

    def do_set(self, says: dict[str, Any], step: dict[str, Any]) -> None:
        push = build_message.push(ENTITY, says["id"], says["data"], says.get("base_version"))
        self.write(self.session.push(push).id, step)

    def do_patch(self, says: dict[str, Any], step: dict[str, Any]) -> None:
        base = self.session.local.base_version(ENTITY, says["id"])
        fields, delete = says["fields"], says.get("delete", ())
        push = build_message.push_fields(ENTITY, says["id"], fields, delete, base, AT)
        self.write(self.session.push(push).id, step)

    def do_operate(self, says: dict[str, Any], step: dict[str, Any]) -> None:
        base = self.session.local.base_version(ENTITY, says["id"])
        fields = operations(says["fields"])
        push = build_message.push_fields(ENTITY, says["id"], fields, (), base, AT)
        self.write(self.session.push(push).id, step)

    def do_together(self, writes: list[dict[str, Any]], step: dict[str, Any]) -> None:
        both = TransactionWrites(lambda: AT, self.session.local.base_version)
        for ((what, says),) in map(dict.items, writes):
            match what:
                case "set":
                    both.set(ENTITY, says["id"], says["data"])
                case "operate":
                    both.patch(ENTITY, says["id"], operations(says["fields"]))
                case "remove":
                    both.delete(ENTITY, says["id"])
        self.write(self.session.push(both.message()).id, step)

    def do_remove(self, says: dict[str, Any], step: dict[str, Any]) -> None:
        push = build_message.push_delete(ENTITY, says["id"], says.get("base_version"))
        self.write(self.session.push(push).id, step)

    def do_storage(self, state: str, step: dict[str, Any]) -> None:
        full = RhtmxError(ErrorCode.STORAGE_FULL, "the disk is full")
        self.store.failure = full if state == "full" else None

    def do_answer(self, how: Any, step: dict[str, Any]) -> None:
        conflict = self.conflicts.pop(0)
        if how == "keep_mine":
            side = conflict.mine
        else:
            side = conflict.theirs if how == "take_theirs" else merged(how["merge"])
        request_id = self.session.answer(conflict, side, AT)
        assert (request_id is not None) == ("as" in step)
        self.write(request_id, step)

    def do_retry(self, name: str, step: dict[str, Any]) -> None:
        self.write(self.session.retry(self.ids[name]), step)

    def do_discard(self, name: str, step: dict[str, Any]) -> None:
        self.session.local.writes.discard(self.ids[name])

    def do_token(self, token: str, step: dict[str, Any]) -> None:
        self.session.ask(Authenticate(token))

    def do_offline(self, _: object, step: dict[str, Any]) -> None:
        self.session.offline(self.now)

    def do_online(self, _: object, step: dict[str, Any]) -> None:
        self.session.online()

    def hear(self, message: Message) -> None:
        self.session.receive(message, self.now)

    # What is seen.

    def do_sends(self, expected: list[dict[str, Any]], step: dict[str, Any]) -> None:
        sent, self.sent = self.sent, []
        assert sent == expected

    def do_shows(self, expected: dict[str, Any], step: dict[str, Any]) -> None:
        view = self.session.local.get(ENTITY, where_of(step.get("where"), ENTITY))
        assert view is not None
        snapshot = view.overlay.snapshot()
        assert {each.id: each.data for each in snapshot} == expected
        assert view.overlay.snapshot() is snapshot

    def do_waiting(self, expected: list[str], step: dict[str, Any]) -> None:
        names = {request_id: name for name, request_id in self.ids.items()}
        assert [names[row.id] for row in self.session.local.writes.queue] == expected

    def do_outcome(self, expected: dict[str, Any], step: dict[str, Any]) -> None:
        assert {name: self.outcomes[self.ids[name]] for name in expected} == expected

    def do_conflicts(self, expected: list[dict[str, Any]], step: dict[str, Any]) -> None:
        reported, self.reported = self.reported, []
        assert reported == expected

    def do_rejected(self, expected: list[str], step: dict[str, Any]) -> None:
        names = {request_id: name for name, request_id in self.ids.items()}
        assert [names[each] for each in self.session.local.writes.rejected] == expected

    def do_position(self, expected: dict[str, Any], step: dict[str, Any]) -> None:
        where = where_of(step.get("where"), ENTITY)
        kept = self.store.load().entities[ENTITY]
        position, _ = kept.place("" if where is None else where.text)
        scope = {} if position.scope is None else {"scope": position.scope}
        assert {"epoch": position.epoch, "version": position.version, **scope} == expected

    def do_state(self, expected: str, step: dict[str, Any]) -> None:
        assert self.session.state.value == expected


def text(value: object) -> bytes:
    """A JSON value as the wire has it."""
    return json.dumps(value).encode()


def operations(fields: dict[str, dict[str, Any]]) -> dict[str, FieldOperation]:
    """What is to be done with each field: `{"votes": {"increment": 1}}`."""
    return {
        name: operation_of(FIELD_ACTION_VALUES[action], text(operand))
        for name, operation in fields.items()
        for action, operand in operation.items()
    }


def shown(conflict: ConflictSides) -> dict[str, Any]:
    """A conflict as the scenarios write it."""
    sides = {"mine": conflict.mine, "theirs": conflict.theirs}
    values = {name: side.value for name, side in sides.items() if not side.deleted}
    field = {} if conflict.field is None else {"field": conflict.field}
    return {**field, **values, "winner": conflict.winner}


HIDDEN = {
    "hello": {"schema", "epoch", "token"},
    "authenticate": {"token"},
}


def plain(message: Message) -> dict[str, Any]:
    """A message as the scenarios write it."""
    said: dict[str, Any] = json.loads(encode(message, Format.JSON))
    hidden = {"request_id"} | HIDDEN.get(said["type"], set())
    return {
        key: trim(value) for key, value in said.items() if key not in hidden and value is not None
    }


def trim(said: Any) -> Any:
    """It without times, and without what is not there."""
    if isinstance(said, list):
        return [trim(each) for each in said]
    if not isinstance(said, dict):
        return said
    return {
        key: trim(each) for key, each in said.items() if key != "timestamp" and each is not None
    }
