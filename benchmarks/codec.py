"""Codec: what it costs to read and write one message, beside the bare libraries.

Every message of the envelope, in both formats, in Python and in TypeScript. Ours
checks everything on the way in. The peers do less: msgspec and JSON.parse make
dicts of the text and look at nothing, upb and protobuf-es leave the JSON inside a
message unread, betterproto2 takes truncated input.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import timeit
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

import msgspec

from benchmarks.support.figures import Scale, Table
from benchmarks.support.processes import PEERS, ROOT, SERVER_CORE
from rhtmx.messages import Change, ChangeAction, ChangeLog, Envelope, Push
from rhtmx.messages.tables import CASES, NAMES
from rhtmx.wire import Message, decode_json, decode_proto, encode_json, encode_proto
from rhtmx.wire.engine import engine_class

DATA = b'{"title":"Write it down","done":false,"assignee":"Ada","rank":12}'
PUSH = Push(entity="tasks", entity_id="1", action=ChangeAction.UPDATE, data=DATA, seq=7)
CHANGE = Change(
    change=ChangeLog(
        entity="tasks",
        entity_id="1",
        action=ChangeAction.UPDATE,
        data=DATA,
        version=43,
        client_id="cafe",
        created_at=datetime(2026, 1, 1, 10, 0, 1, 123456, tzinfo=UTC),
    )
)
"""As in use, about 150 bytes; the other messages are those of the golden vectors."""

BUDGETED = {"decode": "push", "encode": "change"}

NEEDLESS = "Codec: µs to decode a push with needless escapes"

ESCAPED: Mapping[str, bytes] = {
    "as json.dumps escapes": rb"Caf\u00e9 cr\u00e8me, \u00e0 emporter \ud83d\ude00",
    "as PHP and Go escape": rb"https:\/\/example.com\/caf\u00e9?a=1\u0026b=2",
}
"""Titles with needless escapes."""

Work = Callable[[], object]
Way = tuple[str, str]
"""Format and direction."""


class Timing(NamedTuple):
    """One message, one way, one subject, in one round."""

    way: Way
    message: str
    subject: str
    microseconds: float


def messages() -> dict[str, Message]:
    """One message of each case, with all its fields."""
    vectors = json.loads((ROOT / "tests" / "vectors" / "messages.json").read_text())
    frames = {vector["name"]: vector["canonical"].encode() for vector in vectors}
    found = {
        case: decode_json(frames.get(f"{case}, full") or frames[f"{case}, empty"]) for case in CASES
    }
    return {**found, "push": PUSH, "change": CHANGE}


def works(message: Message) -> Iterator[tuple[Way, str, Work, object]]:
    """What is measured with a message: way, subject, the work, and what it must give."""
    case = NAMES[type(message)]
    text, binary = encode_json(message), encode_proto(message)
    plain = json.loads(text)
    envelope = Envelope()
    setattr(envelope, case, message)
    engine = engine_class("rhtmx.v1.Envelope")
    parsed = engine.FromString(binary)
    own = envelope.to_json()
    loads, dumps = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode

    yield ("JSON", "decode"), "rhtmx", lambda: decode_json(text), message
    yield ("JSON", "decode"), "msgspec", lambda: loads(text), plain
    yield ("JSON", "decode"), "betterproto2", lambda: Envelope.from_json(own), envelope
    yield ("JSON", "encode"), "rhtmx", lambda: encode_json(message), text
    yield ("JSON", "encode"), "msgspec", lambda: dumps(plain), text
    yield ("JSON", "encode"), "betterproto2", envelope.to_json, own
    yield ("binary", "decode"), "rhtmx", lambda: decode_proto(binary), message
    yield ("binary", "decode"), "betterproto2", lambda: Envelope.parse(binary), envelope
    yield ("binary", "decode"), "upb", lambda: engine.FromString(binary), parsed
    yield ("binary", "encode"), "rhtmx", lambda: encode_proto(message), binary
    yield ("binary", "encode"), "betterproto2", lambda: bytes(envelope), binary
    yield ("binary", "encode"), "upb", parsed.SerializeToString, binary


def in_python(scale: Scale) -> Iterator[list[Timing]]:
    """Time each message in Python, the subjects in turn; a list for each round."""
    prepared = [
        (name, way, subject, work, wanted)
        for name, message in messages().items()
        for way, subject, work, wanted in works(message)
    ]
    for name, way, subject, work, wanted in prepared:
        if work() != wanted:
            raise RuntimeError(f"{subject}, {' '.join(way)}, {name}: not what it should be")
    for _ in range(scale.rounds):
        yield [
            Timing(way, name, subject, microseconds(work, scale))
            for name, way, subject, work, _ in prepared
        ]


def microseconds(work: Work, scale: Scale) -> float:
    """The best of several runs of one piece of work, some milliseconds each, in µs."""
    once = timeit.timeit(work, number=3) / 3
    count = max(1, int(scale.pick(4e-3, 1e-5) / once))
    return min(timeit.repeat(work, number=count, repeat=scale.pick(5, 2))) / count * 1e6


def in_typescript(scale: Scale) -> Iterator[list[Timing]]:
    """The same on Node, which has the same cases from here."""
    frames = [
        {"name": name, "json": encode_json(each).decode(), "proto": encode_proto(each).hex()}
        for name, each in messages().items()
    ]
    task = {"rounds": scale.rounds, "milliseconds": scale.pick(4, 0), "frames": frames}
    done = subprocess.run(
        ["node", str(PEERS / "codec.mjs")],
        input=json.dumps(task),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
    )
    for one in json.loads(done.stdout):
        yield [
            Timing((wire, direction), name, subject, taken)
            for wire, direction, name, subject, taken in one
        ]


def add(language: str, timings: list[Timing], short: Table, full: Table) -> None:
    """Put one round into the tables."""
    groups: dict[tuple[Way, str], dict[str, float]] = {}
    for each in timings:
        groups.setdefault((each.way, each.subject), {})[each.message] = each.microseconds
        full.add(
            f"{language}, {' '.join(each.way)}, {each.message}", each.subject, each.microseconds
        )
    for (way, subject), taken in groups.items():
        case = f"{language}, {' '.join(way)}"
        budgeted = BUDGETED[way[1]]
        short.add(f"{case}, {budgeted}", subject, taken[budgeted])
        short.add(f"{case}, all messages", subject, statistics.geometric_mean(taken.values()))


def escapes(scale: Scale, to: Table) -> None:
    """Read a push whose title is escaped needlessly, and the same one without."""
    for _ in range(scale.rounds):
        for case, title in ESCAPED.items():
            escaped = encode_json(PUSH).replace(b"Write it down", title)
            plain = encode_json(decode_json(escaped))
            for subject, text in (("rhtmx", escaped), ("without escapes", plain)):
                to.add(case, subject, microseconds(partial(decode_json, text), scale))


def run(scale: Scale) -> list[Table]:
    """Measure all of it."""
    short = Table(
        "Codec: µs for a message",
        "µs",
        note="all messages: the geometric mean. Ours checks every field and all JSON inside; upb\n"
        "and protobuf-es encode objects of their own that are ready; protobuf-es and\n"
        "betterproto2 write JSON in their own form",
    )
    full = Table("Codec: µs for each message", "µs", printed=False)
    for language, measure in (("Python", in_python), ("TypeScript", in_typescript)):
        for timings in measure(scale):
            add(language, timings, short, full)
    needless = Table(NEEDLESS, "µs")
    escapes(scale, needless)
    return [short, full, needless]
