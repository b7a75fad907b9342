"""Several servers that share a store, in one process, which look like one."""

from __future__ import annotations

import itertools
from typing import Any, Self
from uuid import uuid4

from rhtmx_server import App, Config

__all__ = ["Spread"]


class Spread(App):
    """A server whose clients come to it and to others in turn.

    Args:
        store: that all of them share.
        nodes: how many there are.
        bus: between them; by default one within this process.
        settings: of each of them.
    """

    def __init__(self, store: str, nodes: int = 3, bus: str = "", **settings: Any) -> None:
        bus = bus or f"memory://{uuid4().hex}"
        settings.setdefault("config", Config(port=0))
        super().__init__(store=store, bus=bus, **settings)
        self.others = [App(store=store, bus=bus, **settings) for _ in range(nodes - 1)]
        self._turns = itertools.cycle(range(nodes))

    @property
    def nodes(self) -> list[App]:
        """All of them."""
        return [self, *self.others]

    @property
    def url(self) -> str:
        """The address of another one each time."""
        turn = next(self._turns)
        return super().url if not turn else self.others[turn - 1].url

    async def __aenter__(self) -> Self:
        for each in self.others:
            await each.start()
        return await super().__aenter__()

    async def __aexit__(self, *error: Any) -> None:
        await super().__aexit__(*error)
        for each in self.others:
            await each.stop()
