"""One who writes together with others, and is the core of the TypeScript client.

It runs in a program of its own, one for many clients: what happens goes in as a line, and
what comes of it comes back as one.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

from rhtmx.core.granularity import Granularity
from rhtmx.messages import FieldAction, Push, PushFields, Transaction
from rhtmx.messages.tables import CHANGE_ACTION_SPELLINGS, FIELD_ACTION_SPELLINGS
from rhtmx.values.transaction_writes import writes_of
from rhtmx.wire import Format, Message, decode, encode
from tests.support.parts_typescript import Program
from tests.support.programs import TYPESCRIPT
from tests.support.writes_clients import LOOKED_AT, Act, Client
from tests.support.writes_server import WritesServer

__all__ = ["SOURCE", "TypeScriptClient"]

SOURCE = TYPESCRIPT / "tests" / "support" / "writes-reader.ts"


class TypeScriptClient(Client):
    """The core of the TypeScript client, with a store; it is looked at after each message.

    Args:
        program: runs it.
    """

    def __init__(self, program: Program, server: WritesServer, name: str, random: Random) -> None:
        super().__init__(server, name, random)
        self._program = program
        self._starts = 1
        self._said: dict[str, Any] = {}
        fields = {each: how is Granularity.FIELDS for each, how in self.granularities.items()}
        self._do("live", entities=fields)

    def begin(self) -> None:
        self._do("connect")

    def lost(self) -> None:
        self._do("lose")

    def say(self) -> None:
        self.keep()

    def keep(self) -> None:
        """Store what there is to be stored."""
        self._do("store")

    def receive(self, message: Message) -> None:
        self._do("hear", frame=encode(message, Format.JSON).decode())

    def act(self, act: Act, *, together: bool) -> None:
        super().act(act, together=together)
        self._do("store" if self.random.random() < 0.7 else "look")

    def put(self, message: Push | PushFields | Transaction) -> str:
        writes = [_spelt(each) for each in writes_of(message)]
        return str(self._do("write", writes=writes)["written"])

    def seen(self, entity: str, entity_id: str) -> int | None:
        return None  # it says so itself

    def restart(self, *, stores: bool) -> None:
        """The program ends, with everything stored or not, and starts."""
        if stores:
            self.keep()
        self.lose()
        self._starts += 1
        self.started(self._do("start")["queue"])
        self._look()

    def quiet(self) -> bool:
        # One that changed no field is not told to who reads those: it stays until the next change.
        told = [self.granularities[each] is Granularity.RECORDS for each in self._said["settled"]]
        return not self._said["queue"] and not any(told)

    def held(self) -> dict[str, dict[str, Any]]:
        assert self._said["state"] == "open", self._said["state"]
        held: dict[str, dict[str, Any]] = self._said["shown"]
        return held

    def _do(self, what: str, **more: Any) -> Any:
        now, chance = (self.home.now + self.skew) / 1000, self._starts / 10_000
        step = {"do": what, **more}
        said = self._said = self._program.tell(name=self.name, now=now, chance=chance, step=step)
        for request_id, told in said["outcomes"]:
            self.tell(request_id, told)
        if self.connected:
            self.up += [decode(frame.encode(), Format.JSON) for frame in said["frames"]]
        if what not in ("write", "start", "live"):  # what was written is noted only after it
            self._look()
        if said["ended"]:
            self.lose()
        return said

    def _look(self) -> None:
        shown = self._said["shown"]
        if not self._said["isLoading"]:
            self.check_shown({key: shown[key[0]].get(key[1]) for key in LOOKED_AT})


def _spelt(write: Push | PushFields) -> dict[str, Any]:
    about = {"entity": write.entity, "entity_id": write.entity_id}
    base = {} if write.base_version is None else {"base_version": write.base_version}
    if isinstance(write, Push):
        action = CHANGE_ACTION_SPELLINGS[write.action]
        return {**about, **base, "action": action, "data": json.loads(write.data or b"null")}
    return {**about, **base, "fields": [_field(each) for each in write.fields]}


def _field(update: Any) -> dict[str, Any]:
    action: FieldAction = update.action
    value = json.loads(update.value or b"null")
    return {"field": update.field, "action": FIELD_ACTION_SPELLINGS[action], "value": value}
