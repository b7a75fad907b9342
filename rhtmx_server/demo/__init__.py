"""The demo: a shared list of tasks and a contact form.

An application like any other: it knows the public face of the server only. What
it serves to browsers is built from `clients/typescript/demo`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from rhtmx_server import App, Config, Invalid
from rhtmx_server.demo.pages import pages

__all__ = ["Demo", "app"]

log = logging.getLogger("rhtmx_server.demo")


class Demo(App):
    """The demo's server. Says in the log where to look, and where the tasks are kept.

    Args:
        store: where that is, as a URL.
    """

    def __init__(self, store: str = "sqlite:///rhtmx.db") -> None:
        super().__init__(store=store, undeclared=True, pages=pages())
        self._kept_in = store
        self.entity("tasks", merge="last_write_wins")
        _declare_contact(self)

    def configure(self, config: Config, *, store: str | None = None) -> None:
        """Take other settings, before it runs."""
        super().configure(config, store=store)
        self._kept_in = store or self._kept_in

    async def start(self) -> str:
        """Start, and say where."""
        url = await super().start()
        page = url.replace("ws://", "http://").removesuffix("api/ws")
        log.info("the demo is at %s, its tasks are kept in %s", page, self._kept_in)
        return url


def _declare_contact(app: App) -> None:
    contact = app.form("contact")
    contact.field("email", required=True, email=True)
    contact.field("message", required=True, min_length=10, max_length=2000)
    contact.field("answer", one_of=["email", "phone"])
    contact.field("phone", pattern=r"\+?[0-9 ()/.-]{5,25}", message="is not a phone number")

    @contact.field("phone")
    async def phone_is_there_to_call(value: str, form: Mapping[str, str]) -> None:
        if form["answer"] == "phone" and not value.strip():
            raise Invalid("is needed if we are to call you")


app = Demo()
