"""What is a pattern, and what is said of what is none."""

from __future__ import annotations

import pytest

from rhtmx.patterns.parser import MAX_STEPS, parse
from rhtmx.patterns.problems import Effort, NotRegularError, PatternError
from rhtmx.patterns.tree import Characters, Choice, Place, PlaceKind, Repeat, Sequence


@pytest.mark.parametrize(
    ("pattern", "offset", "words"),
    [
        ("ab(c", 2, ") is missing"),
        ("ab)c", 2, "a ) without a ("),
        ("a|*", 2, "nothing to repeat"),
        ("(+)", 1, "nothing to repeat"),
        ("a**", 2, "a repeat of a repeat"),
        ("a{2}?+", 5, "a repeat of a repeat"),
        ("a{1001}", 1, "a repeat is at most 1000 times"),
        ("a{3,2}", 1, "a repeat has the lower number first"),
        ("a{,2}", 1, "{,2} is no repeat: write {0,2}"),
        ("(?:a{50}){50}", 9, "repeats in one another come to 2500, 1000 are allowed"),
        ("x[ab", 1, "] is missing"),
        ("[]", 0, "] is missing"),
        ("[b-a]", 1, "the range ends before it begins"),
        ("[[:nope:]]", 1, "no set is called [:nope:]"),
        (r"[\b]", 1, r"\b in brackets is no character: write \x08"),
        (r"[a-\d]", 3, r"\d is unknown"),
        (r"\pX", 0, "no category or script is called 'X'"),
        (r"a\p{Nope}", 1, "no category or script is called 'Nope'"),
        (r"\p{L", 0, "} is missing"),
        (r"\p{C}", 0, r"\p{C} differs between versions"),
        ("\\", 0, "a backslash at the end"),
        (r"a\Z", 1, r"\Z is unknown: write \z"),
        (r"\C", 0, "single bytes"),
        (r"\y", 0, r"\y is unknown"),
        (r"\u00e9", 0, r"\u is unknown: write the code point as \x{1F600}"),
        ("\\é", 0, "\\é is unknown"),
        (r"\xg0", 0, "two hexadecimal digits expected"),
        (r"\x{}", 0, "two hexadecimal digits expected"),
        (r"\x{12", 0, "two hexadecimal digits expected"),
        (r"\x{110000}", 0, "no character has the code point 110000"),
        ("(?>a)", 0, "atomic groups are unknown"),
        ("(?#a)", 0, "comments are unknown"),
        ("(?x)a", 0, "the flag x is unknown"),
        ("(?a)a", 0, "the flag a is unknown"),
        ("(?i-)a", 0, "unknown after (?"),
        ("(?i", 0, "unknown after (?"),
        ("(?P<>a)", 0, "a group's name"),
        ("(?<n!>a)", 0, "a group's name"),
        ("(?P<n>a)(?P<n>b)", 8, "two groups are called n"),
        ("(" * 61, 60, "more than 60 groups in one another"),
        ("a*" + "(?i)*" * 300, 996, "the pattern is nested too deep"),
    ],
)
def test_what_is_no_pattern_is_refused_with_the_place(
    pattern: str, offset: int, words: str
) -> None:
    with pytest.raises(PatternError) as refused:
        parse(pattern)
    assert refused.value.words.startswith(words)
    assert refused.value.offset == offset
    assert str(refused.value) == f"{refused.value.words}, at character {offset + 1}"


@pytest.mark.parametrize(
    ("pattern", "offset", "words"),
    [
        ("a(?=b)", 1, "a pattern cannot look ahead"),
        ("(?!b)", 0, "a pattern cannot look ahead"),
        ("(?<=b)", 0, "a pattern cannot look behind"),
        ("(?<!b)", 0, "a pattern cannot look behind"),
        (r"(a)\1", 3, r"a pattern cannot ask for what a group has matched (\1)"),
        (r"\8", 0, "\\8 is unknown"),
        (r"(?P<n>a)\k<n>", 8, r"a pattern cannot ask for what a group has matched (\k)"),
        ("(?P<n>a)(?P=n)", 8, "a pattern cannot ask for what a group has matched"),
        ("(a)?(?(1)b|c)", 4, "a pattern cannot depend on whether a group has matched"),
    ],
)
def test_what_no_pattern_can_say_is_told_from_what_is_written_wrong(
    pattern: str, offset: int, words: str
) -> None:
    with pytest.raises(PatternError) as refused:
        parse(pattern)
    assert (refused.value.words, refused.value.offset) == (words, offset)
    assert isinstance(refused.value, NotRegularError) == words.startswith("a pattern cannot")


def test_flags_hold_to_the_end_of_their_group() -> None:
    a, both = Characters(((97, 97),)), Characters(((65, 65), (97, 97)))
    assert parse("(?:a(?i)a|a)a") == Sequence((Choice((Sequence((a, both)), both)), a))
    assert parse("(?i:a)a") == Sequence((both, a))
    assert parse("(?i)a(?-i)a", "s") == Sequence((both, a))
    assert parse("a(?-i)a", "i") == Sequence((both, a))


def test_the_flag_m_makes_places_those_of_lines() -> None:
    kinds = (PlaceKind.TEXT_START, PlaceKind.LINE_START, PlaceKind.LINE_END, PlaceKind.TEXT_END)
    places = (Place(kinds[0]), Place(kinds[1]), Place(kinds[2]), Place(kinds[0]), Place(kinds[3]))
    assert parse(r"^(?m)^$\A\z") == Sequence(places)


def test_the_flag_s_lets_the_dot_take_the_end_of_a_line() -> None:
    assert parse("(?s).") == Characters(((0, 0x10FFFF),))
    assert parse(".") == Characters(((0, 9), (11, 0x10FFFF)))


@pytest.mark.parametrize("lazy", ["a*?", "(?U)a*", "(?U)a*?", "(a)*", "(?P<n>a)*", "(?<n>a)*"])
def test_neither_laziness_nor_groups_leave_a_trace(lazy: str) -> None:
    assert parse(lazy) == Repeat(Characters(((97, 97),)), 0, None)


@pytest.mark.parametrize(
    "braces", ["{", "{}", "{a}", "{1", "{1,", "{1,a}", "{01}", "{1,02}", "{,}"]
)
def test_braces_that_are_no_repeat_stand_for_themselves(braces: str) -> None:
    found = parse(f"a{braces}")
    assert isinstance(found, Sequence)
    letters = [Characters(((ord(each), ord(each)),)) for each in f"a{braces}"]
    assert list(found.items) == letters


def test_a_repeat_looks_past_flags_and_an_empty_quotation() -> None:
    a = Characters(((97, 97),))
    assert parse(r"a(?i)*") == Repeat(a, 0, None)
    assert parse(r"a\Q\E*") == Repeat(a, 0, None)
    assert parse(r"a*(?i)?") == Repeat(Repeat(a, 0, None), 0, 1)


def test_of_a_quotation_only_the_last_character_is_repeated() -> None:
    dot, star = Characters(((46, 46),)), Characters(((42, 42),))
    assert parse(r"\Q.*\E+") == Sequence((dot, Repeat(star, 1, None)))


def test_a_repeat_of_nothing_does_not_count_what_is_in_it() -> None:
    parse("(?:(?:a{600}){0}b{2}){500}")
    with pytest.raises(PatternError, match="come to 1002"):
        parse("(?:(?:a{600}){0}b{2}){501}")


@pytest.mark.parametrize("pattern", ["a" * (MAX_STEPS + 1), "(?:abcdefghijklmnopqrstu){999}"])
def test_a_pattern_that_comes_to_too_much_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match="the pattern is too large"):
        parse(pattern)


def test_a_pattern_that_takes_too_long_to_read_is_refused() -> None:
    with pytest.raises(PatternError, match="the pattern is too large"):
        parse(r"[^\p{L}\p{N}]" * 20, effort=Effort(10_000))


def test_a_text_that_is_too_long_is_refused_unread() -> None:
    with pytest.raises(PatternError, match="the pattern has 65537 characters, 65536 are allowed"):
        parse("[" * 65537)
