"""The files that the demo serves."""

from __future__ import annotations

import re

from rhtmx_server.demo.pages import pages
from rhtmx_server.transports.static_files import scripts

HTML = pages()["/"][1].decode()


def test_every_file_is_there_with_its_type() -> None:
    types = {path: content_type.partition(";")[0] for path, (content_type, _) in pages().items()}
    assert types == {
        "/": "text/html",
        "/demo.css": "text/css",
        "/inspector.css": "text/css",
        "/demo.js": "text/javascript",
        "/inspector.svg": "image/svg+xml",
    }
    assert all(body for _, body in pages().values())


def test_the_page_refers_to_what_is_served_only() -> None:
    served = {*pages(), *scripts(), "/metrics", "/healthz", "/readyz"}
    references = set(re.findall(r'(?:src|href)="([^"#]+)"', HTML))
    assert references >= {"/inspector.css", "/demo.css", "/demo.js", "/inspector.svg"}
    assert references <= served


def test_what_refers_to_a_part_of_the_page_finds_it() -> None:
    parts = set(re.findall(r'href="#([^"]*)"', HTML))
    assert parts
    for attribute in ("for", "aria-labelledby", "aria-describedby"):
        parts.update(" ".join(re.findall(rf'{attribute}="([^"]*)"', HTML)).split())
    assert parts <= set(re.findall(r'\bid="([^"]*)"', HTML))


def test_the_page_holds_no_inline_script_or_style() -> None:
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|javascript:", HTML) == []


def test_the_script_says_that_it_is_built() -> None:
    assert pages()["/demo.js"][1].startswith(b"/* Built from clients/typescript")
