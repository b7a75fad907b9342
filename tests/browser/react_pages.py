"""A server with pages in React, made with the package as it is installed.

Knows how they are bundled, and rendered on a server. Must not know what a browser does
with them.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from rhtmx_server import App, Config, Grant, Invalid
from tests.docs.markdown import page, programs
from tests.support.npm import install, once, pack, pack_installed
from tests.support.process import Ended, run

__all__ = ["BOOKINGS", "BUILDS", "LATE", "MODES", "VARIANTS", "ReactPages", "built"]

HERE = Path(__file__).parent / "react"
HTML = "text/html; charset=utf-8"
SCRIPT = "text/javascript; charset=utf-8"

MODES = ("development", "production")
BUILDS = ("development", "strict-development", "production")
"""The builds of React, and its StrictMode, which is of no effect in production."""

LATE = ("collection", "where", "record", "connection", "field")
"""The pages of `parts.tsx` of which a part is hydrated late."""

BOOKINGS = ("booking", "booking-action")
"""The pages whose form writes what a check may refuse, by how the form is sent."""

PARTS = (*LATE, "terms", "presence", *BOOKINGS)
"""The pages of `parts.tsx` that are there whole."""

VARIANTS: dict[str, tuple[str, str] | tuple[()]] = {
    "": (),
    "memory-": ('connect("/api/ws")', 'connect("/api/ws", { storage: false })'),
    "where-": ("useCollection(tasks)", "useCollection(tasks, ({ data }) => !data.done)"),
}
"""Small changes of the page that the documentation shows: what is replaced by what."""

PAGE = (
    '<!doctype html><html lang="en"><title>Test</title><link rel="icon" href="/icon.svg">'
    '<div id="root">{html}</div><script src="/{script}.js"></script>'
)

APP = """
import { Board, SignUp } from "./Board.tsx";
export const App = () => <><Board /><SignUp /></>;
"""

APP_OF_18 = """
import { Board } from "./Board.tsx";
export const App = () => <Board />;
"""
"""React 18 knows no function as the `action` of a form, as the example has one."""


def built(shared: Path, version: str) -> Path:
    """A folder with the bundles, in which the package is installed, from nothing, beside React.

    Args:
        shared: what all workers of one run of the tests share: the first of them does it.
        version: of React; the one that is installed for the client's tests needs no network.
    """
    package = pack(shared)

    def make(folder: Path) -> None:
        _install(folder, version, package)
        _write(folder / "app", APP if version == "19" else APP_OF_18)
        _bundle(folder / "app")

    return once(shared / f"react-{version}", make) / "app"


def _install(folder: Path, version: str, package: Path) -> None:
    if version == "19":
        react = pack_installed(folder, "react", "react-dom", "scheduler")
        install(folder / "app", [package, *react])
    else:
        react_of = [f"react@{version}", f"react-dom@{version}"]
        install(folder / "app", [package, *react_of], offline=False)


def _write(folder: Path, app: str) -> None:
    shown = programs(page("docs/clients.md"))["Board.tsx"][0]
    for variant, change in VARIANTS.items():
        source = shown.replace(*change) if change else shown
        assert change == () or source != shown
        copy = shutil.copytree(HERE, folder / f"src{variant}")
        (copy / "Board.tsx").write_text(source)
        (copy / "App.tsx").write_text(app)


def _bundle(folder: Path) -> None:
    jobs = []
    for mode in MODES:
        jobs += [(f"src{v}/page.tsx", f"{v}{mode}.js", mode, "browser") for v in VARIANTS]
        jobs += [("src/parts_page.tsx", f"parts-{mode}.js", mode, "browser")]
        for name in ("server", "parts_server"):
            jobs += [(f"src/{name}.tsx", f"{name}-{mode}.js", mode, "node")]
    ended = run("node", HERE / "bundle.mjs", folder, given=json.dumps(jobs).encode())
    assert ended.errors == "", ended.errors


class ReactPages:
    """The server, in this process.

    Args:
        folder: one that is built.

    Attributes:
        app: what is served.
        folder: where the package is installed, and the bundles are.
        url: where the pages are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        pages = {"/icon.svg": ("image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg"/>')}
        for mode in MODES:
            pages |= self._documented(mode) | self._parts(mode)
        config = Config(port=0, stop_timeout=0.2)
        self.app = App(store="memory://", config=config, undeclared=True, pages=pages)
        _declare_signup(self.app)
        _declare_booking(self.app)
        self.url = ""

    async def start(self) -> None:
        url = await self.app.start()
        self.url = url.replace("ws://", "http://").removesuffix("/api/ws")

    async def clear(self) -> None:
        """Begin with no tasks."""
        for entity_id in ("1", "2"):
            await self.app.changes.delete("tasks", entity_id)
        await self.app.changes.delete("bookings", "1")

    async def do(self, what: str, *more: str) -> object:
        """What a scenario may ask for: `push` and `get` of a task, `get booking`, the `folder`."""
        if what == "push":
            return (await self.app.changes.push("tasks", more[0], {"title": more[1]})).version
        if what in ("get", "get booking"):
            entity = "tasks" if what == "get" else "bookings"
            found = await self.app.changes.get(entity, more[0])
            return None if found is None else found.data
        assert what == "folder"
        return str(self.folder)

    def rendered(self, script: str, *arguments: str) -> Ended:
        """What Node makes of a script for a server."""
        return run("node", f"{script}.js", *arguments, folder=self.folder)

    def _documented(self, mode: str) -> dict[str, tuple[str, bytes]]:
        html = self.rendered(f"server-{mode}", "string").output
        pages = self._page(f"server-{mode}", mode, html)
        for variant in VARIANTS:
            pages |= self._page(variant + mode, variant + mode)
        return pages

    def _parts(self, mode: str) -> dict[str, tuple[str, bytes]]:
        rendered = json.loads(self.rendered(f"parts_server-{mode}", *PARTS).output)
        pages: dict[str, tuple[str, bytes]] = {}
        for name, html in rendered.items():
            pages |= self._page(f"{mode}/{name}", f"parts-{mode}", html)
        return pages

    def _page(self, path: str, script: str, html: str = "") -> dict[str, tuple[str, bytes]]:
        code = (self.folder / f"{script}.js").read_bytes()
        # What a form's action needs before it is hydrated; these pages allow no inline script.
        html = re.sub("<script>.*?</script>", "", html)
        content = PAGE.format(html=html, script=script).encode()
        pages = {f"/{strict}{path}": (HTML, content) for strict in ("", "strict-")}
        return {f"/{script}.js": (SCRIPT, code), **pages}


def _declare_signup(app: App) -> None:
    """The form that the README's app has."""
    signup = app.form("signup")

    @signup.field("email", required=True, email=True)
    async def email_is_free(value: str) -> None:
        if value == "ada@example.com":
            raise Invalid("is already registered")

    app.form("terms").field("agreed", required=True)


def _declare_booking(app: App) -> None:
    """A form whose fields are right each by itself, and a record that need not be."""
    booking = app.form("booking")
    booking.field("start", required=True, type=int)
    booking.field("end", required=True, type=int)

    @app.entity("bookings").check
    def ends_after_it_starts(who: Grant | None, before: Any, after: Any) -> None:
        if after and after["start"] > after["end"]:
            raise Invalid("ends before it starts", field="end", code="too_early")
