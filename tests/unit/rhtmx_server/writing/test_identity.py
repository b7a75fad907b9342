"""Whose a client id is: the table at the head of `identity`, row by row."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.model import THE_APP, ClientRow
from rhtmx_server.writing.identity import check_owner, check_right_to_number, hashed

MINE, THEIRS = hashed("mine"), hashed("theirs")


def refused(client: ClientRow | None, subject: str, secret: bytes | None) -> str:
    """The words of the refusal; empty if there is none."""
    try:
        check_owner(client, subject, secret)
    except RhtmxError as error:
        return error.message if error.code is ErrorCode.CLIENT_ID_TAKEN else repr(error)
    return ""


def of(subject: str = "", secret: bytes | None = None) -> ClientRow:
    return ClientRow("c", subject, 1, 0, secret)


@pytest.mark.parametrize("subject", ["", "ada"])
@pytest.mark.parametrize("secret", [None, MINE, THE_APP])
def test_an_id_that_nobody_has_used_is_anybody_s(subject: str, secret: bytes | None) -> None:
    assert refused(None, subject, secret) == ""


@pytest.mark.parametrize("secret", [None, MINE])
def test_an_id_is_its_subject_s_whatever_secret_comes_with_it(secret: bytes | None) -> None:
    assert refused(of("ada"), "ada", secret) == ""


@pytest.mark.parametrize("subject", ["", "ad", "adaa", "Ada", "bob"])
def test_an_id_of_a_subject_is_nobody_else_s(subject: str) -> None:
    assert "belongs to another user" in refused(of("ada"), subject, MINE)


def test_an_id_of_nobody_in_particular_is_no_subject_s() -> None:
    assert "belongs to another user" in refused(of(), "ada", None)
    assert "belongs to another user" in refused(of(secret=MINE), "ada", MINE)


@pytest.mark.parametrize("secret", [None, MINE, THE_APP])
def test_an_id_that_is_bound_to_nothing_is_open_to_all_who_are_nobody(
    secret: bytes | None,
) -> None:
    assert refused(of(), "", secret) == ""


def test_an_id_that_is_bound_needs_its_secret() -> None:
    assert refused(of(secret=MINE), "", MINE) == ""


@pytest.mark.parametrize("secret", [None, THEIRS, THE_APP, MINE[:-1], MINE + b"\0"])
def test_no_other_secret_does_and_none_does_not(secret: bytes | None) -> None:
    assert "say hello with the secret" in refused(of(secret=MINE), "", secret)


@pytest.mark.parametrize("secret", [None, MINE, hashed("")])
def test_an_id_of_the_app_is_closed_to_every_door(secret: bytes | None) -> None:
    assert refused(of(secret=THE_APP), "", secret) != ""
    assert refused(of(secret=THE_APP), "", THE_APP) == ""


@pytest.mark.parametrize(("subject", "secret"), [("ada", None), ("", MINE), ("", THE_APP)])
def test_numbers_need_a_subject_or_a_secret(subject: str, secret: bytes | None) -> None:
    check_right_to_number(subject, secret)


def test_without_either_the_words_say_what_to_do() -> None:
    with pytest.raises(RhtmxError, match=r"say hello with the client_id first.*x-rhtmx-client-"):
        check_right_to_number("", None)


def test_what_is_kept_of_a_secret_does_not_tell_it() -> None:
    assert hashed("mine") == hashed("mine") != hashed("Mine")
    assert b"mine" not in hashed("mine")
    assert len(hashed("")) == 32
