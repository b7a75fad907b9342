"""The server and the pages that the facts of three engines are tried on.

Knows what is on each page. Must not know what a browser does with it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

from rhtmx_server import App, Config
from tests.docs.markdown import page as document
from tests.docs.markdown import programs
from tests.support.process import run
from tests.support.programs import TYPESCRIPT

__all__ = ["make_app", "pages"]

HERE = Path(__file__).parent
HTML = "text/html; charset=utf-8"
SCRIPT = "text/javascript; charset=utf-8"

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Test</title>
<link rel="icon" href="data:,">
<meta name="htmx-config" content='{{"includeIndicatorStyles": false}}'>
{scripts}
</head>
<body>{body}</body>
</html>
"""

FORM = """
<form data-rhtmx-form="contact" novalidate {where}>
<label>Email <input name="email" type="email"></label>
<label>Amount <input name="amount" type="number" step="any"></label>
<button name="how" value="now">Send</button>
</form>
"""

LISTS = """
<ul id="tasks" hx-get="/tasks" hx-trigger="rhtmx:tasks:changed from:body"></ul>
<ul id="others" hx-get="/others" hx-trigger="rhtmx:others:changed from:body"></ul>
"""

RENDER = """
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
createRoot(document.getElementById("root")!).render(<StrictMode><Board /></StrictMode>);
"""
"""Renders the documented component at once."""

TIME = """
import { parseTime } from "./src/wire/time.ts";
Object.assign(globalThis, { parseTime });
"""


def make_app() -> App:
    """A server with nothing in its store that takes any entity, and one form.

    It does not find out within a test that a client has fallen silent.
    """
    config = Config(port=0, stop_timeout=0.2, heartbeat=600)
    app = App(store="memory://", config=config, undeclared=True)
    contact = app.form("contact")
    contact.field("email", required=True, email=True)
    contact.field("amount", required=True, type=float)
    return app


@functools.cache
def pages() -> Mapping[str, tuple[str, bytes]]:
    """Path to content type and body."""
    found = {
        "/client-page.js": (SCRIPT, (HERE / "client_page.js").read_bytes()),
        "/board.js": _bundle(programs(document("docs/clients.md"))["Board.tsx"][0] + RENDER),
        "/time.js": _bundle(TIME),
        "/client": _page("", "/api/client.js", "/client-page.js"),
        "/elsewhere": _page("<p>Elsewhere.</p>"),
        "/form": _page(FORM.format(where='action="/sent" method="post"'), "/api/client.js"),
        "/plain": _page(FORM.format(where='action="/sent" method="post"')),
        "/board": _page('<div id="root"></div><script src="/board.js"></script>'),
        "/time": _page("", "/time.js"),
        "/sent": _page("<p>Sent.</p>"),
        "/tasks": (HTML, b"<li>tasks</li>"),
        "/others": (HTML, b"<li>others</li>"),
        "/posted": (HTML, b"<p>Posted.</p>"),
    }
    for version in ("2", "4"):
        path = TYPESCRIPT / "node_modules" / f"htmx{version}" / "dist" / "htmx.min.js"
        found[f"/htmx{version}.js"] = (SCRIPT, path.read_bytes())
        body = FORM.format(where='hx-post="/posted"') + LISTS
        found[f"/htmx{version}"] = _page(body, f"/htmx{version}.js", "/api/client.js")
    return found


def _page(body: str, *scripts: str) -> tuple[str, bytes]:
    tags = "".join(f'<script src="{each}"></script>' for each in scripts)
    return HTML, PAGE.format(body=body, scripts=tags).encode()


def _bundle(source: str) -> tuple[str, bytes]:
    return SCRIPT, run("node", HERE / "bundle.mjs", given=source.encode()).output.encode()
