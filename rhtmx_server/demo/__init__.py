"""The demo: a shared board of tasks, and a sign-up form.

An application like any other: it knows the public face of the server only. Its entities and
forms, with their labels and rules, are in `demo.proto`, of which `schema` is generated. What it
serves to browsers is built from `clients/typescript/demo`.
"""

from __future__ import annotations

import logging

from rhtmx_server import App, Config
from rhtmx_server.demo.pages import pages
from rhtmx_server.demo.schema import schema
from rhtmx_server.demo.signup import add_validators

__all__ = ["Demo", "app"]

log = logging.getLogger("rhtmx_server.demo")


class Demo(App):
    """The demo's server. Says in the log where to look, and where the tasks are kept.

    Args:
        store: where that is, as a URL.
    """

    def __init__(self, store: str = "sqlite:///rhtmx.db") -> None:
        super().__init__(store=store, undeclared=True, pages=pages(), schema=schema)
        self._kept_in = store
        add_validators(self, self._is_member)

    def configure(
        self, config: Config, *, store: str | None = None, bus: str | None = None
    ) -> None:
        """Take other settings, before it runs."""
        super().configure(config, store=store, bus=bus)
        self._kept_in = store or self._kept_in

    async def start(self) -> str:
        """Start, and say where."""
        url = await super().start()
        page = url.replace("ws://", "http://").removesuffix("api/ws")
        log.info("the demo is at %s, its tasks are kept in %s", page, self._kept_in)
        return url

    async def _is_member(self, username: str) -> bool:
        return await self.changes.get("members", username) is not None


app = Demo()
