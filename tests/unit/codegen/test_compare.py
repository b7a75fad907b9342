from __future__ import annotations

from codegen.compare import compare


def test_equal_files_are_not_listed() -> None:
    assert compare({"a": b"1\n"}, {"a": b"1\n"}) == []


def test_a_missing_file_is_listed() -> None:
    assert compare({"a": b"1"}, {}) == ["a: missing"]


def test_a_left_over_file_is_listed() -> None:
    assert compare({}, {"a": b"1"}) == ["a: not generated any more, delete it"]


def test_the_first_line_that_differs_is_shown() -> None:
    assert compare({"a": b"x\nnew\nz"}, {"a": b"x\nold\nz"}) == [
        "a: line 2 is 'old', should be 'new'"
    ]


def test_a_cut_file_shows_the_line_that_is_missing() -> None:
    assert compare({"a": b"x\ny"}, {"a": b"x"}) == ["a: line 2 is missing, should be 'y'"]


def test_a_long_line_is_cut() -> None:
    [line] = compare({"a": b"x" * 100}, {"a": b"y" * 100})
    assert len(line) < 160


def test_a_binary_file_is_only_named() -> None:
    assert compare({"a": b"\xff\x01"}, {"a": b"\xff\x02"}) == ["a: another content"]


def test_files_are_listed_by_path() -> None:
    assert compare({"b": b"", "a": b""}, {"c": b""}) == [
        "a: missing",
        "b: missing",
        "c: not generated any more, delete it",
    ]
