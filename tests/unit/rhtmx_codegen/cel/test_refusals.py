"""What does not compile, and the words for it."""

import pytest

from rhtmx_codegen.cel import NotInSubset
from tests.unit.rhtmx_codegen.cel.schemas import rule


@pytest.mark.parametrize(
    ("text", "words", "offset"),
    [
        ("math.greatest(1, 2) > 1", "the function math.greatest() is not compiled", 5),
        ("foo(this.small)", "the function foo() is not compiled", 0),
        ("this.title.quote() == ''", "the function quote() is not compiled", 11),
        ("isEmail(this.title)", "the function isEmail() is not compiled: write x.isEmail()", 0),
        ("this.title.matches(this.note)", "the pattern of matches() must be a constant string", 11),
        ("this.title.matches('(')", "does not compile", 11),
        ("this.due.getHours('Europe/Berlin') == 1", "time zone 'Europe/Berlin' is not compiled", 9),
        ("duration(this.title) > this.took", "the text of duration() must be a constant", 0),
        ("duration('1 hour') > this.took", "is no duration", 0),
        ("timestamp('2026-02-30T00:00:00Z') > this.due", "is no time of RFC 3339", 0),
        ("this.points.all(i, p, p > 0)", "all with two variables is not compiled", 12),
        ("this.names.map(k, k).size() > 0", "map of a map is not compiled", 11),
        ("this.?title == ''", "optional values (.? and [?]) are not compiled", 5),
        ("app.Step{name: 'a'}.name == 'a'", "a message cannot be built in a rule", 8),
        ("this.step == this.step", "compare their fields", 10),
        ("this.step == null", "use has()", 10),
        ("this.meta.a == 1", "has no field a, or none that is compiled", 9),
        ("{'a': this.small}.a == 1", "a map in a rule must be of constants", 0),
        ("this.title.format([1]) == ''", "the text of format() must be a constant string", 11),
        ("'%q'.format([1]) == ''", "%q does not write int", 5),
        ("'%s'.format([]) == ''", "there is no value for %s", 5),
        ("type(this.step) == int", "is not known when a rule is compiled", 0),
    ],
)
def test_what_is_left_out_is_named(text: str, words: str, offset: int) -> None:
    with pytest.raises(NotInSubset) as caught:
        rule(text)
    assert words in caught.value.words
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("this.zip == 1", "Task has no field zip"),
        ("that.small == 1", "there is nothing called that"),
        ("this.small == this.title", "int and string never are equal"),
        ("this.small == null", "int and null never are equal"),
        ("this.small < this.title", "< does not compare int with string"),
        ("this.small + this.price > 1.0", "no int + double: convert one with int()"),
        ("this.small + 1u > 1u", "no int + uint: convert"),
        ("this.done && this.small", "&& joins bools, not int"),
        ("this.small ? true : false", "?: asks a bool, not int"),
        ("this.done ? 1 : 'a'", "the two sides of ?: are int and string"),
        ("!this.small", "there is no ! of int"),
        ("-this.size < 0", "there is no - of uint"),
        ("this.small in this.title", "in works on a list or a map, not on string"),
        ("'a' in this.points", "string never is in list(int)"),
        ("'a' in this.counts", "the keys of this map are int, not string"),
        ("this.labels['a'] == ''", "a list has no item string"),
        ("this.small[0] == 1", "int has no items to index"),
        ("[1, 'a'].size() == 2", "the items of a list are int and string"),
        ("this.points.all(p > 0)", "all needs the name of a variable first"),
        ("this.points.all(p, p)", "all asks a question, not for int"),
        ("this.small.all(p, p)", "all goes through a list or a map, not int"),
        ("has(this)", "has() wants a field"),
        ("has(this.small.x)", "int has no field x"),
        ("this.title.startsWith(1)", "there is no startsWith() of string, int"),
        ("this.small + 1", "a rule must be a bool or a string, not int"),
        ("this.price % 2.0 > 1.0", "there is no double % double"),
        ("{1: 2, 1: 3}.size() == 1", "a map has one key twice"),
        ("{1.5: 2}.size() == 1", "double cannot be the key of a map"),
        ("rule == 1", "there is nothing called rule"),
    ],
)
def test_what_means_nothing_is_said(text: str, words: str) -> None:
    with pytest.raises(NotInSubset) as caught:
        rule(text)
    assert words in str(caught.value)


def test_a_place_is_shown_to_people_from_one() -> None:
    with pytest.raises(NotInSubset, match=r"at character 6 of the rule"):
        rule("this.$zip")
