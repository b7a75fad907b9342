"""What it costs to read and write one message, beside the bare libraries.

    python benchmarks/codec.py

A push and a change of the same small record. Prints JSON: microseconds, the
best of several rounds; only the ratios within one run mean anything.
"""

from __future__ import annotations

import json
import timeit
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from rhtmx.messages import Change, ChangeAction, ChangeLog, Envelope, Push
from rhtmx.wire import decode_json, decode_proto, encode_json, encode_proto

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
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
)


def best(work: Callable[[], object]) -> float:
    rounds = timeit.repeat(work, number=2000, repeat=30)
    return round(min(rounds) / 2000 * 1e6, 2)


def main() -> None:
    text, binary = encode_json(PUSH), encode_proto(PUSH)
    parse = msgspec.json.Decoder().decode
    print(
        json.dumps(
            {
                "push_json_bytes": len(text),
                "decode_push_json": best(lambda: decode_json(text)),
                "decode_push_json_bare_msgspec": best(lambda: parse(text)),
                "decode_push_binary": best(lambda: decode_proto(binary)),
                "decode_push_binary_betterproto2": best(lambda: Envelope.parse(binary)),
                "encode_change_json": best(lambda: encode_json(CHANGE)),
                "encode_change_binary": best(lambda: encode_proto(CHANGE)),
            },
            indent=1,
        )
    )


main()
