"""Fields that have several values, and files, through every door."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

import rhtmx
from rhtmx_server import App, Config, File, FormValues, Invalid, Valid
from tests.support.sockets import raw

CV = rhtmx.File("cv.pdf", 3, "application/pdf")
TOO_LARGE = rhtmx.File("cv.pdf", 11, "application/pdf")
NOT_CHOSEN = rhtmx.File("", 0, "application/octet-stream")

DOORS = ["json", "proto", "grpc"]


@pytest.fixture
def app() -> App:
    """A form with the fields that pages have several controls for."""
    app = App(store="memory://", config=Config(port=0, grpc_port=0))
    form = app.form("article")
    form.field("tags", required=True, one_of=["red", "green", "blue"])
    form.field("cv", file=True, required=True, max_size=10, accept=".pdf,image/*")
    form.field("pages", many=True, file=True, max_items=2)

    @form.field("agree", one_of=["true", "false"])
    async def agreed(value: str) -> Valid:
        return Valid(value)

    @form.field("authors", many=True, min_items=2, email=True)
    async def seen(value: list[str], form: FormValues) -> Valid:
        return Valid([value, form.getlist("authors"), form.getlist("tags")])

    @form.field("pages", many=True, file=True)
    async def not_twice(value: list[File]) -> None:
        if len({file.name for file in value}) < len(value):
            raise Invalid("has a file twice")

    return app


Asking = rhtmx.Client | rhtmx.Backend


@asynccontextmanager
async def through(door: str, app: App) -> AsyncIterator[Asking]:
    if door == "grpc":
        async with rhtmx.backend(app.grpc_address) as backend:
            yield backend
    else:
        async with rhtmx.connect(app.url, format=door) as client:  # type: ignore[arg-type]
            yield client


@pytest.mark.parametrize("door", DOORS)
async def test_a_form_is_judged_with_all_values_of_its_fields(app: App, door: str) -> None:
    async with app, through(door, app) as client:
        good: dict[str, Any] = {"tags": ["red", "blue"], "agree": ["false", "true"], "cv": CV}
        assert (await client.validate_form("article", good)).valid
        bad: dict[str, Any] = {
            "tags": ["red", "mauve"],
            "cv": TOO_LARGE,
            "authors": ["", "a@b.example"],
        }
        result = await client.validate_form("article", {**bad, "pages": [CV, CV]})
        assert {each.field: each.error for each in result.errors} == {
            "tags": "“mauve” must be one of: red, green, blue",
            "cv": "is too large: 11 bytes, at most 10 bytes allowed",
            "authors": "has too few values: 1, at least 2 needed",
            "pages": "has a file twice",
        }
        nothing = await client.validate_form("article", {"tags": ["", ""], "cv": NOT_CHOSEN})
        assert [(each.field, each.error) for each in nothing.errors] == [
            ("tags", "is required"),
            ("cv", "is required"),
        ]


@pytest.mark.parametrize("door", DOORS)
async def test_a_field_is_judged_with_all_its_values(app: App, door: str) -> None:
    async with app, through(door, app) as client:
        ask = client.validate_field
        assert (await ask("article", "tags", ["red", "blue"])).valid
        assert not (await ask("article", "tags", ["mauve", "blue"])).valid
        assert (await ask("article", "cv", CV)).valid
        assert (await ask("article", "cv", rhtmx.File("a.exe", 3))).error
        assert (await ask("article", "cv", "cv.pdf")).error == "is not a file"
        assert (await ask("article", "agree", ["false", "true"])).metadata == "true"
        two = ["a@b.example", "", "c@d.example"]
        result = await ask("article", "authors", two, values={"tags": ["red", "green"]})
        assert result.metadata == [["a@b.example", "c@d.example"], two, ["red", "green"]]
        too_many = await ask("article", "pages", [CV] * 3)
        assert too_many.error == "has too many files: 3, at most 2 allowed"


async def test_a_file_of_less_than_nothing_is_a_bad_message(app: App) -> None:
    file = {"field": "cv", "value": "a", "file": {"name": "a", "size": -1, "type": ""}}
    question = {"type": "validate_form", "request_id": "f", "form": "article", "fields": [file]}
    async with app, raw(app.url) as client:
        error = await client.ask(question, "error")
        assert error["code"] == "bad_message"
        assert "validate_form.fields[0].file.size: a number from 0 on" in error["message"]


async def test_a_client_that_knows_one_text_for_a_field_is_answered_as_before(app: App) -> None:
    """The scripts of older pages join the values with line breaks, and leave files out."""
    form = {"type": "validate_form", "request_id": "f", "form": "article"}
    field = {"type": "validate_field", "request_id": "f", "form": "article"}
    async with app, raw(app.url) as client:
        joined = [{"field": "tags", "value": "red\nblue"}]
        errors = (await client.ask({**form, "fields": joined}, "form_validation_result"))["errors"]
        assert errors[0] == {"field": "tags", "error": "must be one of: red, green, blue"}
        one = {**field, "field": "tags", "value": "red"}
        assert (await client.ask(one, "validation_result"))["valid"]
        own = {**one, "value": "red\nblue", "values": joined}
        assert (await client.ask(own, "validation_result"))["error"] == errors[0]["error"]
