"""The golden vectors, which the TypeScript client reads too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages.tables import CASES
from rhtmx.wire import Format, ServerReader, decode, encode
from rhtmx.wire.check_outgoing import checked
from rhtmx_server.connections.checks import check
from tests.vectors.generate import files
from tests.vectors.oracle import envelope_class, from_envelope

FOLDER = Path(__file__).parents[1] / "vectors"
GOOD: list[dict[str, Any]] = json.loads((FOLDER / "messages.json").read_text())
MALFORMED: list[dict[str, Any]] = json.loads((FOLDER / "malformed.json").read_text())
NEWER: list[dict[str, Any]] = json.loads((FOLDER / "newer.json").read_text())
OUTGOING: list[dict[str, Any]] = json.loads((FOLDER / "outgoing.json").read_text())

good = pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector["name"])


def test_the_vectors_are_up_to_date() -> None:
    for name, text in files().items():
        assert (FOLDER / name).read_text() == text, "run python -m tests.vectors.generate"


def test_every_case_has_two_vectors_unless_it_has_no_fields() -> None:
    for case in CASES:
        count = sum(vector["case"] == case for vector in GOOD)
        assert count >= (1 if case in ("ping", "pong") else 2), case


def test_names_are_unique() -> None:
    assert len({vector["name"] for vector in GOOD}) == len(GOOD)
    assert len({vector["name"] for vector in OUTGOING}) == len(OUTGOING)
    for vectors in (MALFORMED, NEWER):
        assert len({(each["format"], each["name"]) for each in vectors}) == len(vectors)


@good
def test_both_formats_carry_the_same_message(vector: dict[str, Any]) -> None:
    from_json = decode(vector["json"].encode(), Format.JSON)
    assert type(from_json) is CASES[vector["case"]]
    assert decode(bytes.fromhex(vector["proto"]), Format.PROTO) == from_json
    if "proto_given" in vector:
        assert decode(bytes.fromhex(vector["proto_given"]), Format.PROTO) == from_json


@good
def test_what_is_read_holds_what_the_constructor_would_make(vector: dict[str, Any]) -> None:
    # The glue makes messages without their constructor.
    for message in (
        decode(vector["json"].encode(), Format.JSON),
        decode(f" {vector['json']}".encode(), Format.JSON),
        decode(bytes.fromhex(vector["proto"]), Format.PROTO),
    ):
        same_as_constructed(message)


def same_as_constructed(message: Any) -> None:
    fields = {name: getattr(message, name) for name in message.__dataclass_fields__}
    assert list(vars(message).items()) == list(vars(type(message)(**fields)).items())
    for value in fields.values():
        inner = value.values() if isinstance(value, dict) else value
        for item in inner if isinstance(value, dict | list) else (value,):
            if hasattr(item, "__dataclass_fields__"):
                same_as_constructed(item)


@good
def test_what_is_written_is_canonical(vector: dict[str, Any]) -> None:
    message = decode(vector["json"].encode(), Format.JSON)
    assert encode(message, Format.JSON).decode() == vector["canonical"]
    assert encode(message, Format.PROTO).hex() == vector["proto"]


@good
def test_the_official_library_reads_the_binary_form(vector: dict[str, Any]) -> None:
    envelope = envelope_class().FromString(bytes.fromhex(vector["proto"]))
    assert from_envelope(envelope) == json.loads(vector["canonical"])


@pytest.mark.parametrize(
    "vector", MALFORMED, ids=lambda vector: f"{vector['format']}: {vector['name']}"
)
def test_a_malformed_frame_is_refused_with_its_place(vector: dict[str, Any]) -> None:
    data = frame(vector)
    with pytest.raises(RhtmxError) as refused:
        decode(data, Format(vector["format"]))
    assert refused.value.code is ErrorCode.BAD_MESSAGE
    assert vector["code"] == "bad_message"
    assert vector["path"] in refused.value.message


def frame(vector: dict[str, Any]) -> bytes:
    return bytes.fromhex(vector["hex"]) if "hex" in vector else vector["input"].encode()


newer = pytest.mark.parametrize(
    "vector", NEWER, ids=lambda vector: f"{vector['format']}: {vector['name']}"
)


@newer
def test_what_a_newer_server_says_is_read_and_noted(vector: dict[str, Any]) -> None:
    notes: list[list[str]] = []
    reader = ServerReader(lambda where, what: notes.append([where, what]))
    read = reader.json if vector["format"] == "json" else reader.proto
    message: Any = read(frame(vector))
    assert sorted(notes) == sorted(vector["notes"])
    if vector["reads"] is None:
        assert message is None
        return
    for field, word in vector.get("words", {}).items():
        kept = getattr(message, field)
        assert (kept.name, kept) == (word, type(kept).UNSPECIFIED)
        setattr(message, field, None)
    assert message == decode(vector["reads"].encode(), Format.JSON)


@newer
def test_what_a_newer_client_says_is_refused_unless_it_is_only_a_field(
    vector: dict[str, Any],
) -> None:
    known = "only clients send" in vector["name"] or all(
        what.startswith("field") for _, what in vector["notes"]
    )
    if known:
        assert decode(frame(vector), Format(vector["format"])) is not None
        return
    with pytest.raises(RhtmxError) as refused:
        decode(frame(vector), Format(vector["format"]))
    assert refused.value.code is ErrorCode.BAD_MESSAGE


@pytest.mark.parametrize("look", [checked, check], ids=["client", "server"])
@pytest.mark.parametrize("vector", OUTGOING, ids=lambda vector: vector["name"])
def test_a_client_refuses_at_the_call_what_a_server_refuses(
    vector: dict[str, Any], look: Callable[[Any], object]
) -> None:
    message = decode(vector["data"].encode(), Format.JSON)
    if vector["path"] is None:
        look(message)
        return
    with pytest.raises(RhtmxError) as refused:
        look(message)
    assert refused.value.code is ErrorCode.BAD_MESSAGE
    assert refused.value.message.startswith(f"{vector['path']}: ")
