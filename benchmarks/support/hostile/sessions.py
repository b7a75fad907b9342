"""Patterns of messages that only our server understands."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Iterable
from typing import Any

from benchmarks.support.hostile.aim import REST, Aim
from benchmarks.support.sockets import client_frame

MANY = 100_000
"""Different names of a kind."""

TOGETHER = 128
"""Subscriptions that a connection may have, if nothing else is configured."""


def frame(**message: Any) -> bytes:
    """A message as a frame."""
    return client_frame(json.dumps(message, separators=(",", ":")).encode())


def validations(aim: Aim) -> None:
    """validate_field, as fast as it goes"""
    ask = frame(
        type="validate_field", request_id="1", form="signup", field="rule", value="some name"
    )
    _flooded(aim, [ask * 4096])


def subscriptions(aim: Aim) -> None:
    """subscribe to 128 entities, again and again"""
    entities = [f"many-{number}" for number in range(TOGETHER)]
    _flooded(aim, [frame(type="subscribe", entities=entities) * 64])


def syncs(aim: Aim) -> None:
    """sync of a small entity, as fast as it goes"""
    _flooded(aim, [frame(type="sync", request_id="1", entity="small", since=0) * 1024])


def hellos(aim: Aim) -> None:
    """hello, again and again on one connection"""
    _flooded(aim, [frame(type="hello", client_id="again") * 1024])


def reconnects(aim: Aim) -> None:
    """reconnects that each confirm what came: hello with confirmed_seq, and a push"""
    client_id, secret = f"back-{time.time_ns()}", dict[str, str]()
    for number in itertools.count(1):
        with contextlib.suppress(OSError, RuntimeError):
            client = aim.websocket()
            hello = frame(type="hello", client_id=client_id, confirmed_seq=number - 1, **secret)
            aim.send(client.socket, hello)
            welcome = json.loads(client.until(b'"welcome"'))
            if "secret" in welcome:  # said once, when an id is first used
                secret = {"secret": welcome["secret"]}
            push = {"entity": "bench", "entity_id": "back", "action": "update", "data": number}
            aim.send(client.socket, frame(type="push", seq=welcome["last_seq"] + 1, **push))
            client.until(b'"push_ack"')
            client.close()
            continue
        aim.tally.cut += 1
        time.sleep(REST)


def slow_validators(aim: Aim) -> None:
    """60 validators that block for 200 ms, all the time"""
    asked = itertools.count()

    def question() -> bytes:
        number = str(next(asked))
        return frame(
            type="validate_field", request_id=number, form="signup", form_instance=number,
            field="slow", value=number,
        )  # fmt: skip

    def once() -> None:
        client = aim.websocket()
        aim.send(client.socket, b"".join(question() for _ in range(60)))
        while True:
            for _ in client.some():
                aim.send(client.socket, question())

    aim.again(once)


def entities_subscribed(aim: Aim) -> None:
    """100,000 entities, subscribed to and left again"""

    def both(start: int) -> bytes:
        names = [f"name-{number}" for number in range(start, start + TOGETHER)]
        return frame(type="subscribe", entities=names) + frame(type="unsubscribe", entities=names)

    _flooded(aim, map(both, range(0, MANY, TOGETHER)))


def entities_pushed(aim: Aim) -> None:
    """100,000 entities, one push each"""
    push = {"entity_id": "1", "action": "update", "data": None}
    _flooded(aim, (frame(type="push", entity=f"new-{n}", **push) for n in range(MANY)))


def form_instances(aim: Aim) -> None:
    """100,000 instances of a form"""
    ask = {"form": "signup", "field": "rule", "value": "some name", "request_id": "1"}
    _flooded(
        aim, (frame(type="validate_field", form_instance=f"one-{n}", **ask) for n in range(MANY))
    )


def client_ids(aim: Aim) -> None:
    """reconnects, each under a new client_id, with a numbered push"""
    numbers, began = itertools.count(), time.time_ns()
    push = {"entity": "bench", "entity_id": "new", "action": "update", "data": None}

    def once() -> None:
        while True:
            client = aim.websocket()
            client_id = f"new-{began}-{next(numbers)}"
            words = frame(type="hello", client_id=client_id) + frame(type="push", seq=1, **push)
            aim.send(client.socket, words)
            client.until(b'"push_ack"')
            client.close()

    aim.again(once)


def _flooded(aim: Aim, words: Iterable[bytes]) -> None:
    """Introduce oneself, and say all of it again and again."""
    data = b"".join(words)

    def once() -> None:
        client = aim.websocket()
        aim.send(client.socket, frame(type="hello", client_id=f"flood-{time.time_ns()}"))
        aim.flood(client.socket, data)

    aim.again(once)
