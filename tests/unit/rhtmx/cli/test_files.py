"""Facts about `rhtmx.cli.files`."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.cli.errors import USAGE, CommandError
from rhtmx.cli.files import choose, lines, load, opened, shown, token
from rhtmx.values.form_value import File


async def read(descriptor: int, name: str = "-") -> list[tuple[str, str]]:
    async with asyncio.timeout(60):
        return [each async for each in lines(descriptor, name)]


def piped(data: bytes) -> int:
    ours, its = os.pipe()
    os.write(its, data)
    os.close(its)
    return ours


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("\ufeffö\n".encode())
    assert load(str(tmp_path / "a")) == "ö\n"


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("ö".encode())))
    assert load("-") == "ö"
    assert opened("-") == 0
    assert (shown("-"), shown("a")) == ("standard input", "a")


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"ab\xf6")
    for name, words in (
        ("/nowhere", "/nowhere cannot be read: No such file or directory"),
        (str(tmp_path), f"{tmp_path} cannot be read: Is a directory"),
        ("a\0b", "a\0b cannot be read: embedded null byte"),
        (str(tmp_path / "latin"), f"{tmp_path}/latin: not UTF-8 at byte 3"),
    ):
        with pytest.raises(CommandError) as raised:
            load(name)
        assert (raised.value.message, raised.value.status) == (words, USAGE)
    for name in ("/nowhere", str(tmp_path), "a\0b"):
        with pytest.raises(CommandError, match="cannot be read"):
            opened(name)


def test_a_file_is_chosen_with_its_name_size_and_type(tmp_path: Path) -> None:
    for name, size, kind in (
        ("a.TXT", 3, "text/plain"),
        ("empty.pdf", 0, "application/pdf"),
        ("no extension", 1, ""),
        ("a.txt.gz", 2, ""),
    ):
        (tmp_path / name).write_bytes(b"x" * size)
        assert choose(str(tmp_path / name)) == File(name, size, kind)


def test_what_is_no_file_cannot_be_chosen(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, words in (
        ("/nowhere", "/nowhere cannot be read: No such file or directory"),
        ("a\0b", "a\0b cannot be read: embedded null byte"),
        (str(tmp_path), f"{tmp_path}: a file expected, this is not one"),
        (str(tmp_path / "pipe"), f"{tmp_path}/pipe: a file expected, this is not one"),
    ):
        with pytest.raises(CommandError) as raised:
            choose(name)
        assert (raised.value.message, raised.value.status) == (words, USAGE)


def test_a_token_is_the_first_line(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n s3cr3t \nmore\n")
    assert token(tmp_path / "token") == "s3cr3t"
    (tmp_path / "token").write_text("\n")
    with pytest.raises(CommandError, match="a token expected, the file is empty"):
        token(tmp_path / "token")


def test_a_token_that_no_server_takes_is_not_one_and_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("ä" * 2048)
    assert len(token(tmp_path / "token")) == 2048
    (tmp_path / "token").write_text("s3cr3t" + "ä" * 2048)
    with pytest.raises(CommandError, match="at most 4096 bytes expected, got 4102") as refused:
        token(tmp_path / "token")
    assert "s3cr3t" not in refused.value.message


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\ufeff"))))
async def test_lines_come_with_their_places(texts: list[str]) -> None:
    data = "".join(f"{text}\n" for text in texts).encode()
    got = await read(piped(data))
    assert got == [(f"standard input, line {n}", text) for n, text in enumerate(texts, 1)]


async def test_a_last_line_needs_no_end() -> None:
    assert [text for _, text in await read(piped(b"a\nb"))] == ["a", "b"]
    assert await read(piped(b"")) == []


async def test_lines_of_any_length_are_whole(tmp_path: Path) -> None:
    texts = [str(n) * 100_000 for n in range(5)]
    (tmp_path / "a").write_text("\n".join(texts))
    descriptor = opened(str(tmp_path / "a"))
    assert [text for _, text in await read(descriptor, "a")] == texts


async def test_a_line_is_there_before_the_next_one() -> None:
    ours, its = os.pipe()
    coming = lines(ours, "-")
    async with asyncio.timeout(60):
        os.write(its, b"one\ntw")
        assert (await anext(coming))[1] == "one"
        os.write(its, b"o\n")
        assert await anext(coming) == ("standard input, line 2", "two")
        os.close(its)
        assert [each async for each in coming] == []


async def test_a_line_that_is_not_utf_8_is_told_with_its_place() -> None:
    with pytest.raises(CommandError, match="standard input, line 2: not UTF-8 at byte 1"):
        await read(piped(b"a\n\xff\n"))


async def test_a_file_that_fails_while_it_is_read_is_told() -> None:
    descriptor = piped(b"")
    os.close(descriptor)
    with pytest.raises(CommandError, match="standard input cannot be read: Bad file"):
        await read(descriptor)
