"""The forms that clients have open, and when each is to be judged again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from rhtmx_server.forms.open_forms import INTERVAL, MOST_FORMS, OpenForm, OpenForms
from rhtmx_server.forms.sections import Section

Form: TypeAlias = OpenForm[str, str]
Forms: TypeAlias = OpenForms[str, str]

USERS = frozenset({"users"})


def asked(forms: Forms, owner: str = "ada", key: str = "f", size: int = 1) -> Form:
    form = forms.ask(owner, key, "values", size, USERS)
    assert form is not None
    return form


def opened(forms: Forms, owner: str = "ada", key: str = "f", now: float = 0.0) -> Form:
    form = asked(forms, owner, key)
    forms.answered(form, form.question, {"name": "free"}, now)
    return form


def judge(forms: Forms, now: float, verdict: str = "taken") -> dict[Section, str]:
    form = forms.take(now)
    assert form is not None
    return forms.judged(form, form.question, {"name": verdict}, now)


def test_a_form_is_due_when_what_it_reads_has_moved() -> None:
    forms = Forms()
    form = opened(forms)
    assert forms.take(9.0) is None
    assert not forms.moved({"orders"}, 9.0)
    assert forms.moved({"users", "orders"}, 9.0)
    assert forms.deadline == 9.0
    assert forms.take(8.9) is None
    assert forms.take(9.0) is form


def test_only_another_verdict_is_told() -> None:
    forms = Forms()
    opened(forms)
    forms.moved(USERS, 0.0)
    assert judge(forms, 0.0, "free") == {}
    forms.moved(USERS, 1.0)
    assert judge(forms, 1.0, "taken") == {"name": "taken"}
    forms.moved(USERS, 2.0)
    assert judge(forms, 2.0, "taken") == {}


def test_it_is_judged_once_a_second_at_most_and_after_the_last_change() -> None:
    forms = Forms()
    opened(forms)
    forms.moved(USERS, 10.0)
    judge(forms, 10.0)
    for now in (10.1, 10.2, 10.3):
        forms.moved(USERS, now)
    assert forms.deadline == 10.0 + INTERVAL
    judge(forms, 10.0 + INTERVAL)
    assert forms.deadline is None


def test_what_moves_while_a_question_is_under_way_is_not_missed() -> None:
    forms = Forms()
    form = asked(forms)
    forms.moved(USERS, 1.0)
    assert forms.deadline is None
    forms.answered(form, form.question, {"name": "free"}, 2.0)
    assert forms.deadline == 2.0


def test_what_moves_before_the_second_of_two_questions_is_not_missed_by_the_first() -> None:
    forms = Forms()
    form = asked(forms)
    forms.moved(USERS, 1.0)
    assert asked(forms) is form
    forms.answered(form, form.question, {"name": "free"}, 2.0)
    assert forms.deadline is None
    forms.answered(form, form.question, {}, 3.0)
    assert forms.deadline == 3.0


def test_what_a_field_was_found_to_be_before_all_was_asked_about_does_not_count_any_more() -> None:
    """Its client shows what was found of all, later: of other values."""
    forms = Forms()
    form = opened(forms)
    forms.ask("ada", "f", "older", 1, USERS, "name")
    older = form.question
    asked(forms)
    forms.answered(form, form.question, {"name": "taken"}, 1.0)
    forms.answered(form, older, {"name": "free"}, 1.0)
    assert form.told == {"name": "taken"}


def test_what_moves_while_it_is_judged_again_is_not_missed() -> None:
    forms = Forms()
    form = opened(forms)
    forms.moved(USERS, 0.0)
    assert forms.take(0.0) is form
    forms.moved(USERS, 0.5)
    assert forms.judged(form, form.question, {"name": "taken"}, 0.7) == {"name": "taken"}
    assert forms.deadline == INTERVAL


def test_what_was_found_of_older_values_is_not_told() -> None:
    forms = Forms()
    form = opened(forms)
    forms.moved(USERS, 0.0)
    taken = forms.take(0.0)
    assert taken is form
    question = taken.question
    asked(forms)
    assert forms.judged(form, question, {"name": "taken"}, 0.5) == {}
    forms.answered(form, form.question, {"name": "free"}, 0.6)
    assert forms.deadline is None
    assert form.told == {"name": "free"}


def test_a_question_takes_the_place_of_a_look_that_is_due() -> None:
    forms = Forms()
    form = opened(forms)
    forms.moved(USERS, 0.0)
    asked(forms)
    assert forms.take(9.0) is None
    forms.answered(form, form.question, {}, 9.0)
    assert forms.take(9.0) is None


def two_told(forms: Forms) -> Form:
    """A form of which two fields were told."""
    form = asked(forms)
    forms.answered(form, form.question, {"name": "free", "nickname": "free"}, 0.0)
    return form


def test_a_question_about_one_field_does_not_take_the_place_of_a_look_at_the_others() -> None:
    forms = Forms()
    form = two_told(forms)
    forms.moved(USERS, 1.0)
    assert forms.ask("ada", "f", "newer", 1, USERS, "nickname") is form
    assert forms.take(9.0) is None
    forms.answered(form, form.question, {"nickname": "taken"}, 9.0)
    assert forms.take(9.0) is form


def test_a_look_that_a_question_about_one_field_has_ended_is_made_again() -> None:
    forms = Forms()
    form = two_told(forms)
    forms.moved(USERS, 1.0)
    taken = forms.take(1.0)
    assert taken is form
    question = form.question
    forms.ask("ada", "f", "newer", 1, USERS, "nickname")
    forms.answered(form, form.question, {"nickname": "free"}, 1.2)
    assert forms.judged(form, question, {"name": "taken"}, 1.3) == {}
    assert judge(forms, 1.0 + INTERVAL) == {"name": "taken"}
    assert forms.deadline is None


def test_a_question_about_all_of_it_that_fails_leaves_nothing_missed() -> None:
    forms = Forms()
    form = opened(forms)
    forms.moved(USERS, 0.0)
    asked(forms)
    forms.answered(form, form.question, None, 1.0)
    assert judge(forms, 1.0) == {"name": "taken"}


def test_what_could_not_be_judged_is_tried_again_after_longer_and_longer() -> None:
    forms = Forms()
    form = opened(forms)
    forms.moved(USERS, 0.0)
    pauses = []
    for _ in range(8):
        now = forms.deadline
        assert now is not None
        assert forms.take(now) is form
        assert forms.judged(form, form.question, {}, now, failed=True) == {}
        assert forms.deadline is not None
        pauses.append(forms.deadline - now)
    assert pauses == [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 64.0, 64.0]
    forms.moved(USERS, 300.0)
    assert judge(forms, 300.0) == {"name": "taken"}
    assert forms.deadline is None
    forms.moved(USERS, 301.0)
    assert forms.deadline == 301.0


def test_what_could_be_judged_is_told_though_the_rest_could_not() -> None:
    forms = Forms()
    form = two_told(forms)
    forms.moved(USERS, 0.0)
    assert forms.take(0.0) is form
    told = forms.judged(form, form.question, {"name": "taken"}, 0.0, failed=True)
    assert told == {"name": "taken"}
    assert forms.deadline == 2.0


def test_one_form_of_each_owner_is_judged_at_a_time() -> None:
    forms = Forms()
    for owner, key in (("ada", "1"), ("ada", "2"), ("bob", "1")):
        opened(forms, owner, key)
    forms.moved(USERS, 0.0)
    first, second = forms.take(0.0), forms.take(0.0)
    assert first is not None
    assert second is not None
    assert {first.owner, second.owner} == {"ada", "bob"}
    assert forms.take(0.0) is None
    assert forms.deadline is None
    ada = first if first.owner == "ada" else second
    forms.judged(ada, ada.question, {}, 0.1)
    third = forms.take(0.1)
    assert third is not None
    assert (third.owner, third.key) != (ada.owner, ada.key)


CLOSING: Mapping[str, Callable[[Forms], None]] = {
    "the form": lambda forms: forms.close("ada", "f"),
    "the connection": lambda forms: forms.forget("ada"),
}


@pytest.mark.parametrize("what", CLOSING)
def test_a_form_that_is_closed_is_never_told_anything(what: str) -> None:
    forms, close = Forms(), CLOSING[what]
    opened(forms)
    close(forms)
    assert not forms.moved(USERS, 0.0)
    opened(forms)
    forms.moved(USERS, 1.0)
    close(forms)
    assert forms.take(1.0) is None
    form = opened(forms)
    forms.moved(USERS, 2.0)
    assert forms.take(2.0) is form
    close(forms)
    assert forms.judged(form, form.question, {"name": "taken"}, 2.5) == {}
    assert forms.deadline is None


def test_a_form_without_rules_that_read_is_not_remembered_but_keeps_its_values() -> None:
    forms = Forms()
    assert forms.ask("ada", "f", "values", 1, ()) is None
    form = opened(forms)
    assert forms.ask("ada", "f", "newer", 1, ()) is form
    assert form.values == "newer"
    assert form.reads == USERS


def test_what_is_too_large_is_not_remembered_and_not_what_was_before_it() -> None:
    forms = Forms(most_bytes=10)
    form = opened(forms)
    assert forms.ask("ada", "f", "values", 11, USERS) is None
    assert form.is_gone
    assert forms.get("ada", "f") is None


def test_the_oldest_forms_of_a_connection_make_room_for_new_ones() -> None:
    forms = Forms(most_bytes=10)
    first, second = (asked(forms, key=key, size=4) for key in "12")
    assert asked(forms, key="1", size=4) is first
    third = asked(forms, key="3", size=4)
    assert (first.is_gone, second.is_gone, third.is_gone) == (False, True, False)
    many = [asked(Forms(), key=str(number)) for number in range(3)]
    assert not any(each.is_gone for each in many)


def test_a_connection_has_so_many_forms_and_others_have_theirs() -> None:
    forms = Forms()
    hers = [asked(forms, key=str(number)) for number in range(MOST_FORMS + 1)]
    assert [each.is_gone for each in hers] == [True] + MOST_FORMS * [False]
    assert not asked(forms, "bob").is_gone


FIELDS = ("name", "nickname")

Question: TypeAlias = tuple[Form, int, str, str | None]
"""The form, the number of the question, what holds when it is asked; about which field, if one."""


class Clients(RuleBasedStateMachine):
    """Clients, commits and looks in any order: a form that is quiet knows what holds."""

    questions: Bundle[Question] = Bundle("questions")

    def __init__(self) -> None:
        super().__init__()
        self.forms = Forms()
        self.now = 0.0
        self.truth = 0
        self.judged: list[tuple[Form, int, str]] = []
        self.last: dict[tuple[object, object], float] = {}
        self.newest: dict[tuple[Form, str | None], int] = {}

    def _asked(self, form: Form, field: str | None) -> Question:
        self.newest[form, field] = form.question
        return form, form.question, str(self.truth), field

    @rule(target=questions, owner=st.sampled_from("ab"), key=st.sampled_from("12"))
    def ask(self, owner: str, key: str) -> Question:
        form = asked(self.forms, owner, key)
        return self._asked(form, None)

    @rule(
        target=questions,
        owner=st.sampled_from("ab"),
        key=st.sampled_from("12"),
        field=st.sampled_from(FIELDS),
    )
    def ask_about_one(self, owner: str, key: str, field: str) -> Question:
        form = self.forms.ask(owner, key, "values", 1, USERS, field)
        assert form is not None
        return self._asked(form, field)

    @rule(question=consumes(questions))
    def answer(self, question: Question) -> None:
        form, number, found, field = question
        told: dict[Section, str] | None = {}
        if field is None:  # it counts if nothing was asked since
            told = dict.fromkeys(FIELDS, found) if number == form.question else None
        elif number == self.newest[form, field]:  # otherwise it was superseded
            told = {field: found}
        self.forms.answered(form, number, told, self.now)

    @rule(question=consumes(questions))
    def fail(self, question: Question) -> None:
        form, number, _, field = question
        # What a field is, for which a question has failed, nobody knows: its client shows nothing.
        for each in FIELDS if field is None else [field]:
            form.told.pop(each, None)
        self.forms.answered(form, number, {}, self.now)

    @rule()
    def wait(self) -> None:
        self.now += 0.4

    @rule()
    def commit(self) -> None:
        self.truth += 1
        self.forms.moved(USERS, self.now)

    @rule()
    def look(self) -> None:
        form = self.forms.take(self.now)
        if form is not None:
            where = (form.owner, form.key)
            assert self.now - self.last.get(where, -INTERVAL) >= INTERVAL - 1e-9
            self.last[where] = self.now
            self.judged.append((form, form.question, str(self.truth)))

    @rule(cannot=st.sets(st.sampled_from(FIELDS)))
    def finish(self, cannot: set[str]) -> None:
        if self.judged:
            form, question, found = self.judged.pop(0)
            verdicts = {each: found for each in form.told if each not in cannot}
            failed = len(verdicts) < len(form.told)
            self.forms.judged(form, question, verdicts, self.now, failed=failed)

    @rule(owner=st.sampled_from("ab"), key=st.sampled_from("12"))
    def close(self, owner: str, key: str) -> None:
        self.forms.close(owner, key)
        self.last.pop((owner, key), None)

    @invariant()
    def a_form_that_is_quiet_knows_what_holds(self) -> None:
        found = [self.forms.get(owner, key) for owner in "ab" for key in "12"]
        for form in found:
            if form is None or form.asked or form.is_judged or form.due is not None:
                continue
            assert {*form.told.values()} <= {str(self.truth)}


TestClients = Clients.TestCase
TestClients.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
