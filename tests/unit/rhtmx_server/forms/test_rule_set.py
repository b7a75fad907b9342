"""Facts about `rhtmx_server.forms.rule_set`."""

from __future__ import annotations

import re
from typing import Any

import pytest

from rhtmx.values.form_value import File
from rhtmx_server.forms.entries import TEXT, FieldKind
from rhtmx_server.forms.rule_set import check_all, clean_all


def test_a_required_value_may_not_be_missing() -> None:
    assert check_all({"required": True})([""]) == "is required"


def test_white_space_alone_is_an_empty_value() -> None:
    assert check_all({"required": True})([" \t\n"]) == "is required"


def test_an_empty_value_that_is_not_required_passes_every_rule() -> None:
    check = check_all({"min_length": 3, "email": True, "ge": 18, "one_of": ["a"], "url": True})
    assert check([""]) is None
    assert check(["  "]) is None


def test_a_value_passes_if_all_rules_do() -> None:
    assert check_all({"required": True, "type": int, "ge": 18, "le": 120})(["36"]) is None


def test_the_first_failure_speaks() -> None:
    check = check_all({"max_length": 3, "email": True})
    assert check(["nope"]) == "is too long: 4 characters, at most 3 allowed"
    assert check(["no"]) == "is not an email address"


def test_the_length_is_checked_before_the_pattern() -> None:
    check = check_all({"pattern": "a*", "max_length": 3})
    assert check(["aaaaaaaab"]) == "is too long: 9 characters, at most 3 allowed"


def test_a_bound_alone_makes_the_value_a_number() -> None:
    assert check_all({"ge": 18})(["x"]) == "is not a number"
    assert check_all({"ge": 18})(["18.5"]) is None


def test_a_message_takes_the_place_of_all_texts() -> None:
    check = check_all({"required": True, "ge": 18, "message": "adults only"})
    assert check([""]) == "adults only"
    assert check(["17"]) == "adults only"
    assert check(["18"]) is None


@pytest.mark.parametrize("rule", ["email", "url", "required"])
def test_a_rule_that_is_switched_off_is_not_checked(rule: str) -> None:
    assert check_all({rule: False})(["x"]) is None  # type: ignore[misc]


def test_a_rule_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(TypeError, match="no ready-made rule 'minlength': there are req"):
        check_all({"minlength": 3})  # type: ignore[typeddict-unknown-key]


def test_lengths_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="min_length 5 is above max_length 3"):
        check_all({"min_length": 5, "max_length": 3})


# Several values, and files.

MANY, FILE, FILES = FieldKind(many=True), FieldKind(file=True), FieldKind(many=True, file=True)
PNG, TEXT_FILE = File("a.png", 3, "image/png"), File("a.txt", 3, "text/plain")
NOT_CHOSEN = File("", 0, "application/octet-stream")


def test_every_value_has_to_pass_every_rule() -> None:
    check = check_all({"one_of": ["red", "green", "blue"], "max_length": 4})
    assert check(["red", "blue"]) is None
    assert check(["red", "mauve"]) == "“mauve” is too long: 5 characters, at most 4 allowed"
    assert check(["grey", "red"]) == "“grey” must be one of: red, green, blue"
    assert check_all({"type": int, "ge": 18})(["36", "x"]) == "“x” is not a whole number"


def test_a_hidden_control_and_its_checkbox_pass_together() -> None:
    check = check_all({"required": True, "one_of": ["true", "false"]})
    assert check(["false", "true"]) is None
    assert check(["false"]) is None
    assert check([]) == "is required"


def test_a_field_is_filled_if_one_of_its_values_is() -> None:
    check = check_all({"required": True, "min_length": 3})
    assert check(["", "red", " "]) is None
    assert check(["", " "]) == "is required"


def test_the_only_value_that_is_filled_is_not_repeated_in_the_error() -> None:
    assert check_all({"email": True})(["", "nope"]) == "is not an email address"


def test_a_long_value_is_not_repeated_whole() -> None:
    error = check_all({"one_of": ["a"]})(["a", "x" * 10_000])
    assert error == f"“{'x' * 40}…” must be one of: a"


def test_the_number_of_values_that_are_filled_is_checked_before_each_of_them() -> None:
    check = check_all({"min_items": 2, "max_items": 3, "one_of": ["a", "b", "c", "d"]}, MANY)
    assert check(["", "x"]) == "has too few values: 1, at least 2 needed"
    assert check(["a", "", "b"]) is None
    assert check(["a", "b", "c", "d"]) == "has too many values: 4, at most 3 allowed"
    assert check([""]) is None, "it is not required"
    assert check_all({"min_items": 2, "required": True}, MANY)([""]) == "is required"
    one = check_all({"max_items": 1}, FILES)
    assert one([PNG, PNG]) == "has too many files: 2, at most 1 allowed"


def test_a_message_takes_the_place_of_what_is_said_of_values_and_files() -> None:
    assert check_all({"max_items": 1, "message": "one!"}, MANY)(["a", "b"]) == "one!"
    assert check_all({"accept": ".txt", "message": "a text!"}, FILES)([TEXT_FILE, PNG]) == "a text!"
    assert check_all({"required": True, "message": "a file!"}, FILE)([NOT_CHOSEN]) == "a file!"


def test_a_chosen_file_fills_its_field_however_small_it_is() -> None:
    for kind in (TEXT, FILE, FILES):
        check = check_all({"required": True}, kind)
        assert check([File("empty.txt", 0)]) is None
        assert check([NOT_CHOSEN]) == "is required"
        assert check(["", NOT_CHOSEN]) == "is required"


def test_every_file_has_to_pass_the_rules_of_files() -> None:
    check = check_all({"max_size": 3, "accept": "image/*"}, FILES)
    assert check([PNG, PNG]) is None
    assert check([PNG, TEXT_FILE]) == "“a.txt” is not of a kind that is taken here: image/*"
    words = "is too large: 4 bytes, at most 3 bytes allowed"
    assert check([File("b.png", 4, "image/png")]) == words


def test_a_text_is_no_file() -> None:
    assert check_all({"required": True}, FILE)(["a.png"]) == "is not a file"
    assert check_all({"required": True}, FILE)(["", PNG]) is None


def test_the_rules_of_texts_see_the_name_of_a_file() -> None:
    assert check_all({"max_length": 4})([PNG]) == "is too long: 5 characters, at most 4 allowed"


@pytest.mark.parametrize(
    ("rules", "kind", "words"),
    [
        ({"ge": 3}, FILE, "ge: is for texts: a field of files may have required, message, "),
        ({"pattern": "x"}, FILES, "pattern: is for texts"),
        ({"email": False}, FILE, "email: is for texts"),
        ({"max_size": 3}, TEXT, "max_size: is for files: register the field with file=True"),
        ({"accept": ".pdf"}, MANY, "accept: is for files"),
        ({"min_items": 2}, TEXT, "min_items: is for several values: register the field with many"),
        ({"max_items": 2}, FILE, "max_items: is for several values"),
        ({"max_items": 0}, MANY, "max_items: a whole number from 1 on expected, got 0"),
        ({"min_items": True}, MANY, "min_items: a whole number from 1 on expected, got True"),
        ({"max_items": None}, MANY, "max_items: a whole number from 1 on expected, got None"),
        ({"min_items": 3, "max_items": 2}, MANY, "min_items 3 is above max_items 2: nothing would"),
        ({"max_size": 0}, FILE, "max_size: a whole number of bytes from 1 on expected, got 0"),
        ({"accept": "pdf"}, FILE, "accept: 'image/*', 'image/png' or '.png' expected, got 'pdf'"),
    ],
)
def test_a_rule_that_cannot_apply_is_refused_with_the_reason(
    rules: Any, kind: FieldKind, words: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        check_all(rules, kind)


def test_only_so_many_addresses_are_looked_at_unless_the_app_says_more() -> None:
    """To look at one takes up to 0.3 ms, and a message has room for 4,096."""
    addresses = [f"a{n}@b.example" for n in range(101)]
    words = "has too many values: 101, at most 100 allowed"
    for kind in (TEXT, MANY):
        assert check_all({"email": True}, kind)(addresses) == words
        assert check_all({"email": True}, kind)(addresses[1:]) is None
    assert check_all({"email": True, "max_items": 101}, MANY)(addresses) is None
    assert check_all({"max_length": 20})(addresses) is None


@pytest.mark.parametrize(
    ("rules", "kind", "entries", "value"),
    [
        ({"type": int}, TEXT, [" 36 "], 36),
        ({"ge": 0}, TEXT, ["1.5"], 1.5),
        ({"type": int}, TEXT, ["7", ""], None),
        ({"type": int}, TEXT, [], None),
        ({"type": int}, MANY, ["1", "", "2"], [1, 2]),
        ({"email": True}, TEXT, [" a@b.example "], "a@b.example"),
        ({"url": True}, TEXT, [" "], ""),
        ({"url": True}, MANY, [" https://a.example"], ["https://a.example"]),
    ],
)
def test_the_value_of_a_field_is_what_its_rules_have_judged(
    rules: Any, kind: FieldKind, entries: list[str], value: object
) -> None:
    clean = clean_all(rules, kind)
    assert clean is not None
    assert clean(entries) == value
    assert check_all(rules, kind)(entries) is None


def test_a_text_is_its_own_value() -> None:
    assert clean_all({"required": True, "max_length": 3}) is None
