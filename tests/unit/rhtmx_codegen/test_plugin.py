"""Facts about `rhtmx_codegen.plugin`: compilers get the same texts as the command writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2

from rhtmx_codegen.generate import Emitters, generate
from rhtmx_codegen.lock import NO_LOCK, with_version, write_lock
from rhtmx_codegen.model import Schema
from rhtmx_codegen.plugin import answer
from tests.support.schemas import HEAD, descriptors, schema_of

TEXT = "message Task { option (rhtmx.v1.entity) = {}; string a = 1; }"


def fake(schema: Schema) -> dict[str, str]:
    return {"x.txt": f"{schema.files} {len(schema.descriptors)} {schema.renames}"}


FAKES: Emitters = {"python": fake, "ts": fake}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def asked(
    parameter: str, text: str = TEXT, *more: str, file: str = "app.proto"
) -> plugin_pb2.CodeGeneratorResponse:
    """What the plugin answers about a schema."""
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptors({"app.proto": HEAD + text}))
    request = plugin_pb2.CodeGeneratorRequest(
        file_to_generate=[file, *more], parameter=parameter, proto_file=files.file
    )
    given = answer(request.SerializeToString(), using=FAKES)
    return plugin_pb2.CodeGeneratorResponse.FromString(given)


def test_each_language_has_its_folder() -> None:
    response = asked("python=a/b,ts=c")
    assert [file.name for file in response.file] == ["a/b/x.txt", "c/x.txt"]
    assert not response.error


def test_texts_are_those_of_the_command() -> None:
    made = generate(
        descriptors({"app.proto": HEAD + TEXT}), ["app.proto"], {"python": "a"}, using=FAKES
    )
    response = asked("python=a,lock=schema.lock")
    texts = {file.name: file.content for file in response.file}
    assert texts == {**made.files, "schema.lock": made.lock}


def test_the_options_themselves_are_no_part_of_a_schema() -> None:
    response = asked("ts=c", TEXT, "rhtmx/v1/schema.proto", "buf/validate/validate.proto")
    assert response.file[0].content.startswith("('app.proto',)")


def test_of_a_folder_with_nothing_but_the_options_nothing_is_made() -> None:
    response = asked("ts=c,lock=schema.lock", TEXT, file="rhtmx/v1/schema.proto")
    assert (list(response.file), response.error) == ([], "")


def test_a_lock_that_cannot_be_read_is_said() -> None:
    Path("schema.lock").mkdir()
    assert "schema.lock" in asked("ts=c").error


def test_the_lock_that_is_there_says_what_was_renamed() -> None:
    lock = with_version(NO_LOCK, schema_of(TEXT))
    Path("schema.lock").write_text(write_lock(lock), encoding="utf-8")
    text = f"option (rhtmx.v1.schema).version = 2; {TEXT.replace('string a', 'string b')}"
    assert "old='a', new='b'" in asked("ts=c", text).file[0].content


def test_it_takes_optional_fields_and_editions() -> None:
    response = asked("ts=c")
    assert response.supported_features == 3
    assert response.maximum_edition == descriptor_pb2.EDITION_2024


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ("", "where to? give the plugin an option python=FOLDER, ts=FOLDER, or both"),
        ("lock=x", "where to? give the plugin an option python=FOLDER, ts=FOLDER, or both"),
        (
            "pyhton=a",
            "there is no option 'pyhton=a' here: the known ones are python=…, ts=…, lock=…",
        ),
        ("python", "there is no option 'python' here: the known ones are python=…, ts=…, lock=…"),
    ],
)
def test_options_that_make_no_sense_are_refused(parameter: str, words: str) -> None:
    response = asked(parameter)
    assert (response.error, list(response.file)) == (words, [])


def test_what_is_wrong_with_a_schema_is_said_with_its_line() -> None:
    response = asked("ts=c", "message A {\n string extra = 1;\n}")
    assert response.error.startswith("app.proto:7:2: field extra of A: the name is taken")
