from __future__ import annotations

import json
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rhtmx.errors import RhtmxError
from rhtmx.wire.embedded_json import (
    Pairs,
    check_json,
    check_key,
    check_text,
    check_value,
    has_nul,
    is_certain,
    is_harmless,
    is_plain,
    members,
    parse,
    respelled,
    same_spelling,
)


@pytest.mark.parametrize("data", [b"null", b" null", b"null\n"])
def test_null_is_none(data: bytes) -> None:
    assert check_json(data, "push.data") is None


@pytest.mark.parametrize(
    "data",
    [
        b"0",
        b"-0",
        b"1.50",
        b"1e5",
        b'"text"',
        b"[]",
        b"{}",
        b'{ "a" : 1 }',
        b'{"n":18446744073709551617}',
        b"1" + b"0" * 308,
        '"😀\u2028"'.encode(),
        rb'"\ud83d\ude00"',
        rb'{"\u0061":1}',
        b'{"a":{"b":1},"b":{"b":1}}',
        b'{"proto":"__proto__"}',
        b"[" * 32 + b"]" * 32,
        b"[" + b",".join([b"[]"] * 100) + b"]",
        b'"' + b"7" * 1000 + b'"',
    ],
)
def test_a_safe_value_passes_byte_for_byte(data: bytes) -> None:
    assert check_json(data, "push.data") == data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not valid JSON at character 0"),
        (b"nope", "not valid JSON at character 0"),
        (b"1 2", "not valid JSON at character 2"),
        (b'"\xff"', "not valid UTF-8 at byte 1"),
        (b"NaN", "NaN is not a JSON number"),
        (b"[1e400]", "a number is too large"),
        (b"1" + b"0" * 309, "a number is too large"),
        (b'{"a":1,"a":2}', "the key 'a' occurs twice"),
        (b'{"b":[{"a":1,"a":1}]}', "the key 'a' occurs twice"),
        (rb'{"a":1,"\u0061":2}', "the key 'a' occurs twice"),
        (b'{"__proto__":1}', "the key '__proto__' is not allowed"),
        (rb'{"constructo\u0072":1}', "the key 'constructor' is not allowed"),
        (b'[{"prototype":1}]', "the key 'prototype' is not allowed"),
        (rb'"\u0000"', "NUL character"),
        (rb'{"\u0000":1}', "NUL character"),
        (rb'"\ud800"', "half of a surrogate pair"),
        (b"[" * 33 + b"]" * 33, "nested deeper than 32 levels"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "nested deeper than 32 levels"),
        (b"[" * 100_000, "nested deeper than 32 levels"),
    ],
)
def test_an_unsafe_value_is_refused_with_its_place(data: bytes, words: str) -> None:
    with pytest.raises(RhtmxError) as refused:
        check_json(data, "push.data")
    assert refused.value.message.startswith("push.data: ")
    assert words in refused.value.message


def test_a_long_key_is_cut_in_the_error() -> None:
    key = b'"' + b"k" * 5000 + b'"'
    with pytest.raises(RhtmxError) as refused:
        check_json(b"{" + key + b":1," + key + b":2}", "push.data")
    assert len(refused.value.message) < 120


@pytest.mark.parametrize(
    "data",
    [b"1", b'{"a":[1,2.5,null,true],"b":"x"}', b'"\\n\\""', "ä".join('""').encode()],
)
def test_common_values_take_the_fast_path(data: bytes) -> None:
    assert is_plain(data)


@pytest.mark.parametrize("data", [b"[[1], 2]", b'{"a":1,"a":1}', b'{"__proto__":1}', b"nope"])
def test_uncertain_values_do_not_take_the_fast_path(data: bytes) -> None:
    assert not is_plain(data)


@pytest.mark.parametrize(
    "data",
    [
        b'{ "a" : [ 1, 2 ],\n"b":null}',
        b"[" * 32 + b"]" * 32,
        b'{"a":' * 32 + b"1" + b"}" * 32,
        b"[" + b",".join([b"[]"] * 100) + b"]",
        rb'{ "\u0061" : "\/\u00e9" }',
    ],
)
def test_spaces_and_depth_are_certain_but_not_plain(data: bytes) -> None:
    assert not is_plain(data) or data.startswith(b"[[],")
    assert is_certain(data)


@pytest.mark.parametrize(
    "data",
    [
        b'{ "a" : 1 , "a" : 2 }',
        b'[ { "__proto__" : 1 } ]',
        rb'[ "\u0000" ]',
        rb'{ "\u0061" : 1, "a" : 2 }',
        rb'{ "__pr\u006fto__" : 1 }',
        rb'[ "\ud83d" ]',
        rb'[ "\x41" ]',
        rb"[ 1\u005d",
        b"[" * 33 + b"]" * 33,
        b"[ " + b"1" * 309 + b" ]",
        b"[" * 100_000,
        b"nope",
        b'"\xff"',
        b"",
    ],
)
def test_what_is_unsafe_or_odd_is_never_certain(data: bytes) -> None:
    assert not is_certain(data)
    assert not is_plain(data)


def test_harmless_and_nul_are_told_of_canonical_text() -> None:
    assert is_harmless(b'{"a":1}')
    assert not is_harmless(b'"protocol"')
    assert has_nul(rb'"\u0000"')
    assert not has_nul(rb'"\n"')


def test_a_parsed_object_keeps_every_pair() -> None:
    parsed = parse(b'{"a":1,"a":2}', "value")
    assert isinstance(parsed, Pairs)
    assert parsed == [("a", 1), ("a", 2)]


def test_integers_are_parsed_to_the_digit() -> None:
    assert parse(b"123456789012345678901234567890", "value") == 123456789012345678901234567890


def test_members_are_a_dict_if_no_key_is_twice() -> None:
    assert members(Pairs([("a", 1), ("b", 2)]), "value") == {"a": 1, "b": 2}
    with pytest.raises(RhtmxError, match="value: the key 'b' occurs twice in one object"):
        members(Pairs([("a", 1), ("b", 2), ("b", 2)]), "value")


def test_text_and_keys_are_checked_alike() -> None:
    check_text("__proto__", "here")
    for bad in ("\0", "a\udfffb"):
        with pytest.raises(RhtmxError, match="here: a string holds"):
            check_text(bad, "here")
        with pytest.raises(RhtmxError, match="here: a string holds"):
            check_key(bad, "here")
    with pytest.raises(RhtmxError, match="here: the key '__proto__' is not allowed"):
        check_key("__proto__", "here")


_TEXTS = st.text(alphabet=list('ab"\\/<\n\té\x7fЖ\u2028😀'), max_size=4)


@st.composite
def spelt(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """An object of texts, maybe with a key twice: canonical, and with some characters escaped."""
    pairs = draw(st.lists(st.tuples(_TEXTS, _TEXTS), max_size=4))

    def write(text: str) -> str:
        written = ""
        for character in text:
            escape = draw(st.sampled_from(["", "", "u", "U"]))
            if character == "/" and escape == "u":
                written += "\\/"
            elif escape:
                units = character.encode("utf-16-be").hex()
                units = units.upper() if escape == "U" else units
                written += "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
            else:
                written += json.dumps(character, ensure_ascii=False)[1:-1]
        return f'"{written}"'

    def joined(spell: Callable[[str], str]) -> bytes:
        members = ",".join(f"{spell(key)}:{spell(value)}" for key, value in pairs)
        return f"{{{members}}}".encode()

    return joined(lambda text: msgspec.json.encode(text).decode()), joined(write)


@given(spelt())
def test_a_text_is_written_without_needless_escapes(texts: tuple[bytes, bytes]) -> None:
    canonical, written = texts
    assert respelled(written) == canonical
    assert respelled(canonical) == canonical


@given(spelt())
def test_a_text_and_its_canonical_form_are_spelled_the_same(texts: tuple[bytes, bytes]) -> None:
    canonical, written = texts
    assert same_spelling(written, canonical)
    assert same_spelling(canonical, canonical)


@given(spelt(), spelt())
def test_two_texts_are_spelled_the_same_if_they_are_the_same_text(
    one: tuple[bytes, bytes], other: tuple[bytes, bytes]
) -> None:
    assert same_spelling(one[1], other[0]) == (respelled(one[1]) == other[0])


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (rb'{"a":"\/","a":"\/"}', b'{"a":"/"}'),
        (rb'{"a": "\/"}', b'{"a":"/"}'),
        (rb'{"a":1.0,"b":"\/"}', b'{"a":1,"b":"/"}'),
        (rb'{"a":"\u007f:\u007f"}', b'{"a":":"}'),
        (rb'{"a\u007f:\u007fb":"\/"}', b'{"a":"b":"/"}'),
        (b'{"a\x7f:\x7fb":"\\/"}', b'{"a":"b":"/"}'),
        (rb'["\/","b"]', b'["/\x7f,\x7fb"]'),
        (rb'{"a":"\"\/"}', b'{"a":"\x7f/"}'),
        (rb'{"a":"\/","a":"\u0022"}', b'{"a":"/"}'),
        (rb'{"a":"\u005c\u0022"}', rb'{"a":"\""}'),
        (rb'["\/\\","\"]"]', rb'["/\",\"]"]'),
    ],
)
def test_what_is_left_out_or_written_otherwise_is_another_spelling(
    data: bytes, text: bytes
) -> None:
    assert not same_spelling(data, text)


@given(spelt())
@example((b"", rb'{"a":"\u0022,\u0022a\u0022:\u0022"}'))
def test_with_escapes_too_certain_is_what_the_exact_check_takes(texts: tuple[bytes, bytes]) -> None:
    _, written = texts
    try:
        check_value(parse(written, "data"), "data")
    except RhtmxError:
        assert not is_certain(written)
    else:
        assert is_certain(written)
