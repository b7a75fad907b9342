"""Catch-up: a client that comes back is sent what it missed.

One client reads 100,000 records from the start; 1,000 and 5,000 clients come
back at once after a restart, each 20 changes behind, and 300 clients each 2,000
changes behind. The peer reads the same rows from a copy of the same file, and
sends them as they are. Centrifugo keeps its history in memory.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.support.centrifugo import PATH, program
from benchmarks.support.centrifugo import stocked as centrifugo
from benchmarks.support.figures import Scale, Table
from benchmarks.support.filled import Filled, content, filled
from benchmarks.support.processes import Server, peer, rhtmx
from benchmarks.support.sockets import BINARY, TEXT, Client, server_frames
from benchmarks.support.storm import storm
from rhtmx.messages import (
    Change,
    ChangeAction,
    FieldChange,
    Hello,
    Position,
    Subscribe,
    SubscribeFields,
    SyncBegin,
)
from rhtmx.wire import Format, decode, encode


def _ours(file: Path) -> AbstractContextManager[Server]:
    return rhtmx(store=f"sqlite:///{file}")


def _bare(*options: str) -> Callable[[Path], AbstractContextManager[Server]]:
    return lambda file: peer("select_send.py", str(file), *options)


@dataclass(frozen=True, slots=True)
class Subject:
    """A server on a file, and how one reads there what is new since a version.

    Args:
        name: of the subject.
        start: it, on a file.
        ask: what a client says.
        end: what the last message that it is sent has in it, and no other.
        version: of one message that it is sent; 0 for one that is no change.
        format: in which it speaks.
        granularity: messages that make a record.
    """

    name: str
    start: Callable[[Path], AbstractContextManager[Server]]
    ask: Callable[[Filled, int], Sequence[bytes]]
    end: Callable[[Filled], bytes]
    path: str = "/"
    format: Format = Format.JSON
    granularity: int = 1

    @property
    def opcode(self) -> int:
        return TEXT if self.format is Format.JSON else BINARY

    @property
    def subprotocol(self) -> str:
        return self.format.subprotocol if self.path != "/" else ""


def _our_subject(
    wire: Format, kind: type[Subscribe | SubscribeFields] = Subscribe, granularity: int = 1
) -> Subject:
    def ask(file: Filled, since: int) -> list[bytes]:
        position = Position(epoch=file.epoch, version=since)
        question = kind(entities=["bench"], since={"bench": position})
        return [encode(Hello(), wire), encode(question, wire)]

    def end(file: Filled) -> bytes:
        # `sync_complete` alone has it, but for `welcome`, which comes before.
        return file.epoch.encode()

    return Subject("rhtmx", _ours, ask, end, "/api/ws", wire, granularity)


def _peer_subject(name: str, *options: str) -> Subject:
    return Subject(
        name, _bare(*options), lambda file, since: [b"%d" % since], lambda file: b'{"end":true}'
    )


RETURNED = "Return after a restart, all at once: CPU per client with its handshake"

OURS = _our_subject(Format.JSON)
OURS_BINARY = _our_subject(Format.PROTO)
OURS_FIELDS = _our_subject(Format.JSON, SubscribeFields, granularity=4)
BARE = _peer_subject("SELECT, joined frames")
CENTRIFUGO = "Centrifugo 6.9"
BARE_SEND = _peer_subject("SELECT, send()", "--send")

CASES = (
    ("JSON", (OURS, BARE, BARE_SEND)),
    ("binary", (OURS_BINARY, BARE)),
    ("JSON, by field", (OURS_FIELDS, BARE)),
)


def whole(case: str, subject: Subject, file: Filled, tables: Sequence[Table]) -> None:
    """One round of one subject: all records, to one client."""
    rates, walls = tables
    with file.copy() as copy, subject.start(copy) as server:
        client = Client(server.port, subject.path, subprotocol=subject.subprotocol)
        hello, *ask = [b"", *subject.ask(file, 0)][-2:]
        if hello:  # `welcome` ends like the whole answer, so it is taken first
            client.send(hello, opcode=subject.opcode)
            client.take(1)
        end = subject.end(file)
        pieces: list[bytes] = []
        began, burned = time.perf_counter(), server.cpu()
        client.send(*ask, opcode=subject.opcode)
        messages: list[bytes] = []
        while not messages or _is_begin(messages[-1], subject):
            pieces.append(client.socket.recv(1 << 20))
            if not pieces[-1]:
                raise ConnectionError("the server has closed the connection")
            if end in pieces[-1][-256:]:
                took, spent = time.perf_counter() - began, server.cpu() - burned
                messages = list(server_frames(bytearray(b"".join(pieces))))
        client.close()
    verify(messages, subject, file, 0)
    rates.add(case, subject.name, file.head / spent)
    walls.add(case, subject.name, file.head / took)


def _is_begin(message: bytes, subject: Subject) -> bool:
    """Whether it says where much of an entity begins: the epoch is in that, too."""
    return subject.path != "/" and isinstance(decode(message, subject.format), SyncBegin)


def verify(messages: Sequence[bytes], subject: Subject, file: Filled, since: int) -> None:
    """Make sure that these are the changes after `since`, all of them, in order."""
    *changes, _ = messages[_is_begin(messages[0], subject) :]
    count = (file.head - since) * subject.granularity
    if len(changes) != count:
        raise RuntimeError(f"{subject.name}: {count} changes expected, {len(changes)} received")
    for index in sorted({*range(0, count, 997), count - 1}):
        number = since + 1 + index // subject.granularity
        if subject.path == "/":
            _same(json.loads(changes[index])["change"], number)
        else:
            _same_as_ours(decode(changes[index], subject.format), number)
    marks = _marks(since, file.head)
    if subject.granularity == 1 and not all(map(bytes.__contains__, changes, marks)):
        raise RuntimeError(f"{subject.name}: the changes are not in version order")


@functools.cache
def _marks(since: int, head: int) -> list[bytes]:
    """How the data of each record after `since` begins: with its number."""
    return [content(number)[:24] for number in range(since + 1, head + 1)]


def _same(change: dict[str, object], number: int) -> None:
    found = (change["entity_id"], change["version"], change["data"])
    if found != (str(number), number, json.loads(content(number))):
        raise RuntimeError(f"record {number} expected, {change} received")


def _same_as_ours(message: object, number: int) -> None:
    assert isinstance(message, Change | FieldChange)
    change = message.change
    assert change is not None
    if (change.entity_id, change.version) != (str(number), number):
        raise RuntimeError(f"record {number} expected, {change} received")
    if isinstance(message, Change) and (
        message.change is None
        or message.change.data != content(number)
        or message.change.action is not ChangeAction.CREATE
    ):
        raise RuntimeError(f"record {number}: other content, {change}")


def return_at_once(
    count: int, missed: int, subject: Subject, file: Filled, tables: Sequence[Table]
) -> None:
    """One round of one subject: a fresh server, and `count` clients that have missed a bit."""
    spent, walls = tables
    since = file.head - missed
    with file.copy() as copy, subject.start(copy) as server:
        say = subject.ask(file, since)
        began, burned = time.perf_counter(), server.cpu()
        with storm(count, server.port, subject.path, say, _after_all(subject, file)) as received:
            took, burned = time.perf_counter() - began, server.cpu() - burned
        for messages in received:
            verify(messages[len(say) - 1 :], subject, file, since)
    case = f"{count:,} clients, {missed:,} changes each"
    spent.add(case, subject.name, burned / count * 1000)
    walls.add(case, subject.name, took)


def recover_at_once(count: int, missed: int, file: Filled, tables: Sequence[Table]) -> None:
    """The same of Centrifugo, whose history is in memory: it has the last records, and no more."""
    spent, walls = tables
    records = [content(number) for number in range(file.head - 2 * missed + 1, file.head + 1)]
    with centrifugo(records) as (server, epoch):
        since = {"channel": "bench", "recover": True, "offset": missed, "epoch": epoch}
        say = [b'{"id":1,"connect":{}}', json.dumps({"id": 2, "subscribe": since}).encode()]
        began, burned = time.perf_counter(), server.cpu()
        with storm(count, server.port, PATH, say, b'"recovered":true') as received:
            took, burned = time.perf_counter() - began, server.cpu() - burned
        for messages in received:
            reply = json.loads(messages[-1].splitlines()[-1])["subscribe"]
            if [each["data"] for each in reply["publications"]] != [
                json.loads(each) for each in records[missed:]
            ]:
                raise RuntimeError(f"the last {missed} records expected, {reply} received")
    case = f"{count:,} clients, {missed:,} changes each"
    spent.add(case, CENTRIFUGO, burned / count * 1000)
    walls.add(case, CENTRIFUGO, took)


def _after_all(subject: Subject, file: Filled) -> bytes:
    return b'"sync_complete"' if subject is OURS else subject.end(file)


def run(scale: Scale) -> list[Table]:
    """Measure all of it."""
    rates = Table("Catch-up of one client: records per CPU second of the server", "1/s")
    walls = Table(
        "Catch-up of one client: records per second of wall time",
        "1/s",
        note="each record has four fields: by field that makes four messages of ours, "
        "and one of the peer's",
    )
    spent = Table(RETURNED, "ms", note="a ratio below 1 means that ours takes less")
    lasted = Table("Return after a restart, all at once: until the last one has it all", "s")
    crowds = scale.pick(((1000, 20), (5000, 20), (300, 2000)), ((5, 20),))
    with filled(scale.pick(100_000, 100)) as file:
        for _ in range(scale.rounds):
            for name, subjects in CASES:
                for subject in subjects:
                    whole(f"{file.head:,} records, {name}", subject, file, (rates, walls))
            for count, missed in crowds:
                for subject in (OURS, BARE):
                    return_at_once(count, missed, subject, file, (spent, lasted))
            if program() is None:
                print("centrifugo is not on the path: measured without it", file=sys.stderr)
            else:
                recover_at_once(*crowds[0], file, (spent, lasted))
    return [rates, walls, spent, lasted]
