"""What a program has of a form, as entries."""

from __future__ import annotations

import io
from datetime import date, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from starlette.datastructures import FormData, Headers, UploadFile
from werkzeug.datastructures import FileStorage, MultiDict

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.values.form_value import Entry, File, entry
from rhtmx_server.forms.posted import RECEIPT, posted, receipt_in


def entries(values: Any) -> list[tuple[str, Entry]]:
    return [(each.field, entry(each)) for each in posted(values)]


def test_values_of_python_are_the_texts_that_a_page_would_send() -> None:
    given = {
        "age": 36,
        "price": Decimal("1.50"),
        "agree": True,
        "news": False,
        "day": date(2026, 11, 30),
        "at": time(9, 30),
        "id": UUID(int=7),
        "left_out": None,
    }
    assert entries(given) == [
        ("age", "36"),
        ("price", "1.50"),
        ("agree", "true"),
        ("news", "false"),
        ("day", "2026-11-30"),
        ("at", "09:30:00"),
        ("id", "00000000-0000-0000-0000-000000000007"),
    ]


def test_a_list_is_all_values_of_its_field() -> None:
    assert entries({"tags": ["red", "blue"], "none": []}) == [("tags", "red"), ("tags", "blue")]


def test_the_form_of_a_request_gives_all_values_of_a_name() -> None:
    pairs: list[Any] = [("tags", "red"), ("email", "a@b.example"), ("tags", "blue")]
    expected = [("tags", "red"), ("tags", "blue"), ("email", "a@b.example")]
    assert entries(FormData(pairs)) == entries(MultiDict(pairs)) == expected


def test_an_upload_is_its_name_size_and_type() -> None:
    content, kind = io.BytesIO(b"12345"), {"content-type": "image/png"}
    starlette = UploadFile(content, size=5, filename="a.png", headers=Headers(kind))
    werkzeug = FileStorage(content, "a.png", name="photo", content_type="image/png")
    for upload in (starlette, werkzeug):
        assert entries({"photo": upload}) == [("photo", File("a.png", 5, "image/png"))]
    assert content.tell() == 0


def test_no_chosen_file_is_an_empty_text_as_the_page_sees_it() -> None:
    nothing = UploadFile(io.BytesIO(), size=0, filename="", headers=Headers({}))
    assert entries({"photo": nothing}) == [("photo", "")]
    assert entries({"photo": FileStorage(io.BytesIO(), "", name="photo")}) == [("photo", "")]


def test_line_ends_are_those_that_the_script_of_a_page_sees() -> None:
    assert entries({"text": "one\r\ntwo\nthree"}) == [("text", "one\ntwo\nthree")]


@pytest.mark.parametrize("wrong", [b"bytes", {"a": 1}, object(), ["good", object()]])
def test_what_no_form_has_is_refused_with_its_name(wrong: Any) -> None:
    with pytest.raises(RhtmxError, match=r"values\['photo'\]: a text, a File or an upload") as bad:
        posted({"photo": wrong})
    assert bad.value.code is ErrorCode.BAD_MESSAGE


def test_half_of_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(RhtmxError, match="surrogate"):
        posted({"text": "\ud800"})


def test_the_receipt_is_no_value_of_the_form() -> None:
    values = {"email": "a@b.example", RECEIPT: "abc"}
    assert entries(values) == [("email", "a@b.example")]
    assert receipt_in(values) == receipt_in({RECEIPT: ["", "abc"]}) == "abc"
    assert receipt_in({"email": "x"}) is None
    nothing: tuple[Any, ...] = ("", [], None, 7)
    assert [receipt_in({RECEIPT: each}) for each in nothing] == [None] * 4
