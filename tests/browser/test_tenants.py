"""Two tenants in a real browser: each fact is a scenario of `tenants.mjs`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from rhtmx_server import App, Config, Grant, Request
from rhtmx_server.access import claim
from tests.browser.driver import Browser
from tests.support.programs import TYPESCRIPT

pytestmark = pytest.mark.asyncio(loop_scope="session")

HTML = "text/html; charset=utf-8"
PAGE = """<!doctype html>
<title>Orders</title>
<link rel="icon" href="/icon.svg">
<meta name="htmx-config" content='{{"includeIndicatorStyles": false}}'>
<script src="/htmx.js"></script>
<script src="/api/client.js"></script>
<div data-rhtmx-watch="orders?customer={customer}">
  <ul id="list" hx-get="/list" hx-trigger="load, rhtmx:orders:changed"></ul>
</div>
"""
CUSTOMERS = ("7", "8")


async def customer(request: Request) -> Grant:
    """Whose page it is says a cookie; everybody may write for everybody."""
    own = request.cookies["customer"]
    return Grant(f"user-of-{own}", claims={"reads": own, "writes": list(CUSTOMERS)})


@pytest_asyncio.fixture(loop_scope="session")
async def app() -> AsyncIterator[App]:
    htmx = TYPESCRIPT / "node_modules" / "htmx2" / "dist" / "htmx.min.js"
    pages = {
        "/blank": (HTML, b"<!doctype html><title>Blank</title><link rel=icon href=/icon.svg>"),
        "/icon.svg": ("image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
        "/htmx.js": ("text/javascript; charset=utf-8", htmx.read_bytes()),
        **{f"/orders-of-{each}": (HTML, PAGE.format(customer=each).encode()) for each in CUSTOMERS},
    }
    config = Config(port=0, stop_timeout=0.2)
    app = App(store="memory://", config=config, authenticate=customer, pages=pages)
    orders = app.entity("orders", partition=["customer"])
    orders.access(read=claim("reads", field="customer"), write=claim("writes", field="customer"))
    async with app:
        await app.changes.push("orders", "1", {"customer": "7", "text": "moves"})
        await app.changes.push("orders", "2", {"customer": "7", "text": "of-seven"})
        await app.changes.push("orders", "3", {"customer": "8", "text": "of-eight"})
        yield app


async def test_what_moves_to_another_tenant_leaves_one_page_and_comes_into_the_other(
    browser: Browser, app: App
) -> None:
    async def answer(what: str, own: str) -> object:
        assert what == "list"
        page = await app.history("orders")
        latest = {each.entity_id: each.data for each in page}
        shown = sorted(item for item in latest.items() if item[1]["customer"] == own)
        return "".join(f'<li id="{each}">{data["text"]}</li>' for each, data in shown)

    url = app.url.replace("ws://", "http://").removesuffix("api/ws")
    fact = "whatMovesToAnotherTenantLeavesOnePageAndComesIntoTheOther"
    await browser.run(fact, url, answer)
