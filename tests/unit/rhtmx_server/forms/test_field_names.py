"""Facts about `rhtmx_server.forms.field_names`."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FormFieldValue
from rhtmx_server.forms.form import Form
from rhtmx_server.names import nearest


@pytest.fixture
def signup() -> Form:
    return Form("signup")


def values(*names: str) -> list[FormFieldValue]:
    return [FormFieldValue(field=name) for name in names]


def refused(form: Form, *names: str, page: bool = False) -> str:
    with pytest.raises(RhtmxError) as caught:
        form.names.require(values(*names), page=page)
    assert caught.value.code is ErrorCode.UNKNOWN_FORM
    return caught.value.message


def test_a_name_that_a_form_does_not_have_is_refused_with_the_one_that_was_meant(
    signup: Form,
) -> None:
    signup.field("email")
    signup.names.require(values("email"), page=False, field="email")
    words = "form 'signup' has no field 'emial': did you mean 'email'?"
    assert refused(signup, "emial") == words
    assert refused(signup, "email", "emial") == words, "wherever it stands"
    with pytest.raises(RhtmxError) as caught:
        signup.names.require([], page=False, field="emial")
    assert (caught.value.code, caught.value.message) == (ErrorCode.UNKNOWN_FORM, words)


def test_where_none_is_like_it_the_error_says_what_to_do(signup: Form) -> None:
    signup.field("email")
    assert refused(signup, "zzz") == (
        "form 'signup' has no field 'zzz': register it, or make the form with extra='ignore'"
    )


def test_a_field_without_rules_is_a_field(signup: Form) -> None:
    signup.field("nickname")
    signup.names.require(values("nickname"), page=False, field="nickname")


@pytest.mark.parametrize(
    "name",
    [
        *("_method", "_token", "_csrf", "__RequestVerificationToken", "_charset_"),
        *("csrf_token", "csrfmiddlewaretoken", "csrftoken", "authenticity_token"),
        *("g-recaptcha-response", "h-captcha-response", "cf-turnstile-response"),
    ],
)
def test_what_frameworks_put_into_a_form_is_no_mistake(signup: Form, name: str) -> None:
    signup.field("method")
    signup.field("token")
    for page in (True, False):
        signup.names.require(values(name), page=page, field=name)


def test_what_else_a_page_has_in_its_form_is_no_mistake(signup: Form) -> None:
    signup.field("password")
    signup.names.require(values("task_id", "next", "go"), page=True)
    signup.names.require(values("password2", "password"), page=True, field="password2")
    signup.names.require([], page=True, field="how")
    refused(signup, "password2", "password", page=False)


def test_a_misspelt_field_of_a_page_is_a_mistake_where_the_right_one_is_missing(
    signup: Form,
) -> None:
    signup.field("email")
    signup.field("tags")
    assert "did you mean 'email'" in refused(signup, "task_id", "emial", page=True)
    assert "did you mean 'tags'" in refused(signup, "email", "tags[]", page=True)
    with pytest.raises(RhtmxError, match="did you mean 'email'"):
        signup.names.require(values("tags", "emial"), page=True, field="emial")


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("color", "color_other"),
        ("agree", "agreed_at"),
        ("items", "items_count"),
        ("comment", "comments_id"),
        ("subject", "submit"),
    ],
)
def test_a_box_that_is_not_ticked_makes_no_mistake_of_a_name_beside_it(
    signup: Form, field: str, other: str
) -> None:
    signup.field(field)
    signup.names.require(values(other), page=True, field=other)
    assert f"did you mean {field!r}" in refused(signup, other, page=False)


def test_a_form_may_ignore_what_it_does_not_have() -> None:
    form = Form("items", extra="ignore")
    form.field("items[0].qty")
    for page in (True, False):
        form.names.require(values("items[1].qty", "anything"), page=page, field="items[2].qty")
    form.names.extra = "forbid"
    refused(form, "anything")


def test_what_becomes_of_other_names_is_one_of_two_words(signup: Form) -> None:
    with pytest.raises(ValueError, match="form 'signup': extra: 'forbid' or 'ignore', not 'allow'"):
        signup.names.extra = "allow"  # type: ignore[assignment]


def test_a_long_name_is_neither_compared_nor_sent_back_whole(signup: Form) -> None:
    signup.field("email")
    assert len(refused(signup, "email" * 10_000)) < 200


def test_only_so_many_names_are_compared_and_kept(
    signup: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To find what is like a name takes long: nobody may have that done without end."""
    compared: list[str] = []

    def counted(name: str, known: Iterable[str]) -> str | None:
        compared.append(name)
        return nearest(name, known)

    monkeypatch.setattr("rhtmx_server.forms.field_names.nearest", counted)
    signup.field("email")
    for n in range(10_000):
        refused(signup, f"email{n}")
    assert len(compared) == len(signup.names._alike) == 100
    assert "did you mean" in refused(signup, "email7"), "known from before"
    assert "register it" in refused(signup, "emial")
