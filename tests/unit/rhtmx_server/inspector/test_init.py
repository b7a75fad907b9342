"""The files of the inspector, and who serves them."""

from __future__ import annotations

import re

from rhtmx_server.inspector import inspector_pages, shared_files, with_inspector

HTML = inspector_pages()["/inspector"][1].decode()


def test_every_file_is_there_with_its_type() -> None:
    types = {
        path: content_type.partition(";")[0]
        for path, (content_type, _) in inspector_pages().items()
    }
    assert types == {
        "/inspector": "text/html",
        "/inspector.css": "text/css",
        "/inspector.js": "text/javascript",
        "/inspector.svg": "image/svg+xml",
    }
    assert all(body for _, body in inspector_pages().values())
    assert shared_files().items() <= inspector_pages().items()


def test_the_page_refers_to_its_own_files_and_to_parts_that_are_there() -> None:
    # Beside the page, wherever an application has mounted the server.
    named = {f"/{name}" for name in re.findall(r'(?:src|href)="([^"#]+)"', HTML)}
    assert named == inspector_pages().keys() - {"/inspector"}
    parts: set[str] = set()
    for attribute in ("for", "aria-labelledby", "aria-describedby"):
        parts.update(" ".join(re.findall(rf'{attribute}="([^"]*)"', HTML)).split())
    assert parts <= set(re.findall(r'\bid="([^"]*)"', HTML))


def test_the_script_asks_the_server_beside_which_it_is_served() -> None:
    script = inspector_pages()["/inspector.js"][1]
    assert b'"api/schema"' in script
    assert b'"api/ws"' in script
    assert b'"/api/' not in script


def test_the_page_holds_no_inline_script_or_style() -> None:
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|javascript:", HTML) == []


def test_its_parts_stand_in_other_pages_where_these_say_it() -> None:
    page = with_inspector(b"<main><!-- inspector: panel --></main><!-- inspector: templates -->")
    assert b'id="rejected"' in page
    assert b'<template id="rejected-write">' in page
    assert b"<!--" not in page
    assert with_inspector(b"<p>Nothing of it</p>") == b"<p>Nothing of it</p>"
