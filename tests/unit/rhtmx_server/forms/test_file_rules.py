"""Facts about `rhtmx_server.forms.file_rules`."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx.values.form_value import File
from rhtmx_server.forms.file_rules import accept, max_size


@pytest.mark.parametrize(
    ("most", "size", "words"),
    [
        (1, 1, None),
        (1, 2, "is too large: 2 bytes, at most 1 byte allowed"),
        (999, 1000, "is too large: 1 kB, at most 999 bytes allowed"),
        (2_000_000, 2_000_000, None),
        (2_000_000, 2_000_001, "is too large: 2.1 MB, at most 2 MB allowed"),
        (2_000_000, 1_999_999, None),
        (5 * 2**20, 5 * 2**20 + 1, "is too large: 5.3 MB, at most 5.2 MB allowed"),
        (10**9, 12_345 * 10**6, "is too large: 12.4 GB, at most 1 GB allowed"),
        (10**12, 2**53 - 1, "is too large: 9007.2 TB, at most 1 TB allowed"),
        (1, 0, None),
    ],
)
def test_a_file_that_is_too_large_is_told_in_units_that_show_the_difference(
    most: int, size: int, words: str | None
) -> None:
    assert max_size(most)(File("a", size)) == words


@pytest.mark.parametrize("most", [0, -1, 1.5, True, "1MB", None])
def test_a_size_is_a_whole_number_of_bytes(most: Any) -> None:
    with pytest.raises(ValueError, match="max_size: a whole number of bytes from 1 on expected"):
        max_size(most)


@pytest.mark.parametrize(
    ("kinds", "file"),
    [
        ("image/*", File("a.png", 1, "image/png")),
        ("image/*", File("no extension", 1, "IMAGE/PNG")),
        ("image/png", File("a", 1, "image/png")),
        ("text/plain", File("a", 1, "text/plain;charset=utf-8")),
        (".pdf", File("A.PDF", 1, "")),
        (".PDF", File("a.pdf", 1, "application/octet-stream")),
        (".tar.gz", File("a.tar.gz", 1)),
        (" .pdf , image/* ", File("a.b", 1, "image/svg+xml")),
        ("application/vnd.ms-excel,.csv", File("a.csv", 1)),
    ],
)
def test_a_file_of_one_of_the_kinds_is_taken(kinds: str, file: File) -> None:
    assert accept(kinds)(file) is None


@pytest.mark.parametrize(
    ("kinds", "file"),
    [
        ("image/*", File("a.png", 1, "")),
        ("image/*", File("a.png", 1, "imagery/png")),
        ("image/*", File("a.png", 1, "image")),
        ("image/png", File("a.png", 1, "image/png2")),
        (".pdf", File("a.pdf.exe", 1, "application/pdf")),
        (".pdf", File("pdf", 1)),
        (".pdf", File("a.txt", 1, ".pdf/x")),
    ],
)
def test_a_file_of_another_kind_is_told_which_are_taken(kinds: str, file: File) -> None:
    assert accept(kinds)(file) == f"is not of a kind that is taken here: {kinds}"


@pytest.mark.parametrize(
    "kinds", ["", "pdf", "*/*", "*", "image/*,", "image/", ".", "a b/c", ["image/*"], None, "/png"]
)
def test_what_no_page_could_say_is_refused(kinds: Any) -> None:
    with pytest.raises(ValueError, match="accept: "):
        accept(kinds)
