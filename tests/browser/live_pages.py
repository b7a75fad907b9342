"""A server with the pages of the tests of forms and htmx.

Knows what they look like and what their form takes. Must not know what a browser
does with them.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rhtmx_server import App, Config, Grant, Invalid
from tests.support.process import run
from tests.support.programs import TYPESCRIPT

__all__ = ["CLIENT", "FORMS", "LivePages"]

CLIENT = "live_page.mjs"
FORMS = "live_forms_page.mjs"

HERE = Path(__file__).parent
HTML = "text/html; charset=utf-8"
SCRIPT = "text/javascript; charset=utf-8"

PAGE = """<!doctype html>
<html lang="en">
<head>
<title>Test</title>
<link rel="icon" href="/icon.svg">
<meta name="htmx-config" content='{{"includeIndicatorStyles": false}}'>
{scripts}
<script src="/live.js"></script>
</head>
<body>{body}</body>
</html>
"""

FORM = """
<form data-rhtmx-form="contact" action="/sent" novalidate {more}>
<label>Email <input name="email" type="email" aria-describedby="hint"></label>
<p id="hint">We write once a month.</p>
<label>Key <input name="key" type="password"></label>
<label>Days <select name="days" multiple><option>mo<option>tu<option>we</select></label>
<label>Quoted <input name='say "hi\\'></label>
<button name="how" value="now">Send</button>
</form>
"""

STATE = '<ul id="state" hx-get="/state" hx-trigger="rhtmx:state from:body"></ul>'

LISTS = """
<ul id="from-body" hx-get="/from-body" hx-trigger="rhtmx:tasks:changed from:body"></ul>
<ul id="own" hx-get="/own" hx-trigger="rhtmx:tasks:changed"></ul>
<ul id="other" hx-get="/other" hx-trigger="rhtmx:others:changed from:body"></ul>
<button hx-get="/late" hx-swap="outerHTML">More</button>
"""

VOTES = """
<button data-rhtmx-inc="polls/7/votes">More</button>
<button data-rhtmx-inc="polls/7/votes:-1">Less</button>
<p id="field" data-rhtmx-error="polls/7/votes"></p>
<p id="whole" data-rhtmx-error="polls/7"></p>
<p id="theirs" data-rhtmx-error="polls/8/votes"></p>
"""

LATE = '<ul hx-get="/late-list" hx-trigger="rhtmx:lates:changed from:body">Nothing yet.</ul>'


class LivePages:
    """The server, in this process, on one port.

    Args:
        script: the module of which the script of the pages is built: `CLIENT` or `FORMS`. With that
            for forms only there is nothing else in them.

    Attributes:
        url: where its pages are.
    """

    def __init__(self, script: str) -> None:
        self._app = App(
            store="memory://",
            config=Config(port=0, stop_timeout=0.2),
            undeclared=True,
            pages=dict(_pages(script)),
        )
        self._app.form("nothing")
        _declare_contact(self._app)
        _declare_polls(self._app)
        self.url = ""

    async def start(self) -> None:
        """Start, the second time on the port of the first."""
        if self.url:
            self._app.configure(Config(port=int(self.url.rpartition(":")[2])))
        url = await self._app.start()
        self.url = url.replace("ws://", "http://").removesuffix("/api/ws")

    async def stop(self) -> None:
        await self._app.stop()

    async def do(self, what: str) -> None:
        """What a scenario may ask for: `start`, `stop`, `push ENTITY COUNT`, or `close DAY`."""
        words = what.split()
        if words[0] == "push":
            for number in range(int(words[2])):
                await self._app.changes.push(words[1], str(number % 10), {"n": number})
        elif words[0] == "close":
            await self._app.changes.push("polls", "7", {"votes": 0, "closed": words[1]})
        else:
            await {"start": self.start, "stop": self.stop}[what]()


@functools.cache
def _pages(script: str) -> Mapping[str, tuple[str, bytes]]:
    live = run("node", HERE / "bundle.mjs", script).output.encode()
    found = {
        "/icon.svg": ("image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
        "/live.js": (SCRIPT, live),
        "/form": (HTML, _page(FORM.format(more=""))),
    }
    for version in ("2", "4"):
        path = TYPESCRIPT / "node_modules" / f"htmx{version}" / "dist" / "htmx.min.js"
        found[f"/htmx{version}.js"] = (SCRIPT, path.read_bytes())
        body = FORM.format(more='hx-get="/sent"') + STATE + (LISTS if script == CLIENT else "")
        found[f"/htmx{version}"] = (HTML, _page(body, f"/htmx{version}.js"))
        votes = f'<div hx-get="/votes" hx-trigger="rhtmx:polls:changed from:body">{VOTES}</div>'
        found[f"/votes{version}"] = (HTML, _page(votes, f"/htmx{version}.js"))
    found["/votes"] = (HTML, VOTES.encode())
    for name in ("from-body", "own", "other", "state", "late-list"):
        found[f"/{name}"] = (HTML, f"<li>{name}</li>".encode())
    return {**found, "/late": (HTML, LATE.encode()), "/sent": (HTML, _page("<p>Sent.</p>"))}


def _page(body: str, *scripts: str) -> bytes:
    tags = "".join(f'<script src="{each}"></script>' for each in scripts)
    return PAGE.format(body=body, scripts=tags).encode()


def _declare_contact(app: App) -> None:
    contact = app.form("contact")
    contact.field("email", required=True, email=True)
    contact.field('say "hi\\', max_length=3)

    @contact.field("days")
    def days_are_free(value: str) -> None:
        if value in {"mo", "tu"}:
            raise Invalid("is taken")


def _declare_polls(app: App) -> None:
    @app.entity("polls").check
    def takes_votes(who: Grant | None, before: Any, after: Any) -> None:
        if after["votes"] > 2:
            raise Invalid("<b>at most 2</b>", field="votes", code="too_many")
        if who is not None and before and before.get("closed"):
            raise Invalid("is closed")
