"""The demo as an application: what it declares."""

from __future__ import annotations

from rhtmx_server.demo import Demo, app
from rhtmx_server.demo.pages import pages


def test_the_app_that_the_command_starts_serves_the_page() -> None:
    assert app.pages == pages()


def test_it_has_the_form_of_the_page_and_the_one_that_is_tried_by_hand() -> None:
    demo = Demo("memory://")
    assert set(demo.form("signup").fields) == {"username", "email", "age", "guardian"}
    assert set(demo.form("contact").fields) == {"email", "message", "answer", "phone"}
