"""A web server whose pages have forms, and the application that checks them.

Knows what its forms take, and keeps what is posted. Must not know what a browser
does with it: a scenario says what the pages are and how posts are answered.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from rhtmx_server import App, Config, Invalid
from tests.support.process import run
from tests.support.programs import TYPESCRIPT

__all__ = ["FormPages"]

HTML = "text/html; charset=utf-8"
SCRIPT = "text/javascript; charset=utf-8"
BUNDLE = TYPESCRIPT.parents[1] / "tests" / "browser" / "bundle.mjs"

PATIENCE = 30.0
"""Seconds for a post to come; a scenario says what it wanted of those that came."""

PAGE = """<!doctype html>
<html lang="en">
<head><title>Test</title><link rel="icon" href="data:,">{scripts}</head>
<body>{body}</body>
</html>
"""


@dataclass(slots=True)
class Answer:
    """How a request is answered: with a page, or by sending elsewhere (`location`)."""

    body: str = "<p>Done.</p>"
    status: int = 200
    location: str = ""
    held: bool = False
    htmx: str = ""


@dataclass(slots=True)
class Site:
    """What is served, and what was posted: path and body."""

    answers: dict[str, Answer] = field(default_factory=dict)
    posted: list[tuple[str, str]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)


class FormPages:
    """The server and the application, in this process.

    Args:
        entry: the module of which the script of the pages is built, `/client.js`; `/other.js` is
            the other one, for a page that loads both.

    Attributes:
        url: where the pages are.
    """

    def __init__(self, entry: str) -> None:
        self._files = _files(entry)
        self._site = Site()
        self._checks = asyncio.Event()
        self._ran = Counter[str]()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._app = App(
            store="memory://", config=Config(port=0, stop_timeout=0.2, origins=(self.url,))
        )
        _declare(self._app, self._checks, self._ran)
        self._socket = ""

    async def start(self) -> None:
        self._socket = await self._app.start()
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    async def stop(self) -> None:
        self._release()
        self._http.shutdown()
        self._http.server_close()
        await self._app.stop()

    def begin(self) -> None:
        """Forget what an earlier scenario said."""
        self._release()
        self._site.answers.clear()
        self._site.posted.clear()
        self._checks.set()

    async def do(self, what: str, *more: Any) -> object:
        """What a scenario may ask for.

        `show PATH ANSWER` and `answer PATH ANSWER`: how a page is got, and a post answered.
        `posted COUNT`: waits until so much was posted, and tells what was. `release`: posts
        that are held are answered. `hold checks`, `release checks`: the form `slow`. `judge BODY`:
        what the handler of `slow` finds in what was posted, and how often it ran the validator.
        `register NAME`, `leave NAME`: a user comes, or goes; the form `user` takes no name twice.
        """
        if what in ("show", "answer"):
            path, answer = more
            self._site.answers[("" if what == "show" else "POST ") + path] = Answer(**answer)
        elif what == "posted":
            return await asyncio.to_thread(self._posted, *more)
        elif what == "register":
            (name,) = more
            await self._app.changes.push("users", name, {})
        elif what == "leave":
            await self._app.changes.delete("users", *more)
        elif what == "judge":
            ran = self._ran["check_name"]
            verdict = await self._app.form("slow").validate(parse_qs(*more))
            return verdict.valid, self._ran["check_name"] - ran
        elif what == "release":
            self._release()
        else:
            {"hold checks": self._checks.clear, "release checks": self._checks.set}[what]()
        return None

    def _posted(self, count: int) -> list[tuple[str, str]]:
        with self._site.changed:
            self._site.changed.wait_for(lambda: len(self._site.posted) >= count, PATIENCE)
            return list(self._site.posted)

    def _release(self) -> None:
        with self._site.changed:
            for answer in self._site.answers.values():
                answer.held = False
            self._site.changed.notify_all()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        pages = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path in pages._files:
                    return self._say(200, SCRIPT, pages._files[self.path])
                return self._answer(pages._site.answers.get(self.path, Answer()))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                site = pages._site
                answer = site.answers.get(f"POST {self.path}", Answer())
                with site.changed:
                    site.posted.append((self.path, body.decode()))
                    site.changed.notify_all()
                    site.changed.wait_for(lambda: not answer.held)
                return self._answer(answer)

            def _answer(self, answer: Answer) -> None:
                part = "HX-Request" in self.headers
                body = answer.body if part else pages._page(answer)
                self._say(answer.status, HTML, body.encode(), answer.location)

            def _say(self, status: int, kind: str, body: bytes, location: str = "") -> None:
                try:
                    self.send_response(303 if location else status)
                    self.send_header("Content-Type", kind)
                    self.send_header("Content-Length", str(len(body)))
                    if location:
                        self.send_header("Location", location)
                    self.end_headers()
                    self.wfile.write(body)
                except ConnectionError:
                    pass  # the page that asked is gone

            def log_message(self, *args: object) -> None:
                """Say nothing: a test that fails says what was posted."""

        return Handler

    def _page(self, answer: Answer) -> str:
        scripts = f'<script src="/htmx{answer.htmx}.js"></script>' if answer.htmx else ""
        scripts += f'<script src="/client.js" data-url="{self._socket}"></script>'
        return PAGE.format(scripts=scripts, body=answer.body)


def _files(entry: str) -> dict[str, bytes]:
    modules = TYPESCRIPT / "node_modules"
    (other,) = {"browser.ts", "browser-forms.ts"} - {entry}
    return {
        "/client.js": run("node", BUNDLE, TYPESCRIPT / "src" / entry).output.encode(),
        "/other.js": run("node", BUNDLE, TYPESCRIPT / "src" / other).output.encode(),
        "/htmx2.js": (modules / "htmx2" / "dist" / "htmx.min.js").read_bytes(),
        "/htmx4.js": (modules / "htmx4" / "dist" / "htmx.min.js").read_bytes(),
    }


def _declare(app: App, checks: asyncio.Event, ran: Counter[str]) -> None:
    task = app.form("task")
    task.field("title", required=True, min_length=2)
    task.field("note", max_length=100)
    two = app.form("two")
    two.field("title", required=True)
    two.field("action", required=True, one_of=["draft", "publish"])
    app.form("point").field("at.x", required=True, type=int, ge=1)
    several = app.form("several")
    several.field("agree", one_of=["true", "false"])
    several.field("tags", one_of=["red", "blue"])
    several.field("line", max_length=3)
    app.form("upload").field("document", required=True)
    number = app.form("number")
    number.field("price", required=True, type=float, ge=0)
    number.field("day", pattern=r"\d{4}-\d\d-\d\d")
    rating = app.form("rating")
    rating.field("stars", required=True, one_of=["1", "2", "3"])
    rating.field("body", required=True)
    rating.field("body.dir", one_of=["ltr", "rtl"])
    app.form("names", extra="ignore").field("title", required=True, min_length=3)
    company = app.form("company")
    company.field("vat", min_length=5)
    company.field("kind", required=True)

    user = app.form("user", extra="ignore")

    @user.field("name", required=True, reads=["users"])
    async def is_free(value: str) -> None:
        if await app.changes.get("users", value) is not None:
            raise Invalid("is taken")

    slow = app.form("slow", extra="ignore")

    @slow.field("name", required=True)
    async def check_name(value: str) -> None:
        ran["check_name"] += 1
        await checks.wait()
        if "bad" in value:
            raise Invalid("is bad")
