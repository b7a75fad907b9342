"""By which entities the rules of a form judge."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx_server.forms.form import Form
from rhtmx_server.forms.reads import reads_of, require_read


def rule(value: Any) -> None: ...


@pytest.fixture
def form() -> Form:
    form = Form("signup")
    form.field("name", required=True, reads=["users"])(rule)
    form.field("name", reads=["teams"])(rule)
    form.field("email", email=True)
    form.check(rule)
    form.check(reads=["shops"])(rule)
    return form


def test_a_section_reads_what_its_rules_say(form: Form) -> None:
    assert reads_of(form, "name") == {"users", "teams"}
    assert reads_of(form, "email") == reads_of(form, 0) == set()
    assert reads_of(form, 1) == {"shops"}


def test_a_form_reads_what_all_of_its_sections_do(form: Form) -> None:
    assert reads_of(form, None) == {"users", "teams", "shops"}


def test_what_a_form_does_not_have_reads_nothing(form: Form) -> None:
    assert reads_of(form, "age") == reads_of(form, 2) == set()


def test_an_entity_that_there_is_not_is_refused_with_the_nearest_one(form: Form) -> None:
    require_read(form, {"users", "teams", "shops", "orders"})
    with pytest.raises(ValueError, match=r"signup rule: .* 'shops' .* did you mean 'shop'\?"):
        require_read(form, {"users", "teams", "shop"})


def test_conflicts_of_an_entity_may_be_read() -> None:
    form = Form("signup")
    form.check(reads=["$conflicts/users"])(rule)
    require_read(form, {"users"})
