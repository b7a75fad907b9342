"""Facts about `rhtmx_codegen.buf` and `sources`: files of the disk become a descriptor set."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from rhtmx_codegen import buf
from rhtmx_codegen.buf import NoCompilerError, build
from rhtmx_codegen.problems import SchemaError
from rhtmx_codegen.sources import find_sources
from tests.support.schemas import HEAD, write


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def built(*files: Path, roots: tuple[Path, ...] = ()) -> list[str]:
    """The names of the files of the descriptor set."""
    found = descriptor_pb2.FileDescriptorSet.FromString(build(files, roots))
    return [file.name for file in found.file]


def refused(*files: Path, roots: tuple[Path, ...] = ()) -> str:
    with pytest.raises(SchemaError) as caught:
        build(files, roots)
    return str(caught.value)


def test_a_file_alone_in_a_folder_is_enough(here: Path) -> None:
    """The options come along, and there is no configuration."""
    names = built(write(here, "app.proto", f"{HEAD}message A {{}}"))
    assert names[-1] == "app.proto"
    assert {"buf/validate/validate.proto", "rhtmx/v1/schema.proto"} <= set(names)


def test_a_path_is_named_from_where_its_package_begins(here: Path) -> None:
    write(here, "protos/app/v1/part.proto", 'syntax = "proto3"; package app.v1; message B {}')
    text = f'{HEAD}import "app/v1/part.proto"; message A {{ B b = 1; }}'
    write(here, "protos/app/v1/app.proto", text)
    names = built(Path("protos/app/v1/app.proto"))
    assert names[-2:] == ["app/v1/part.proto", "app/v1/app.proto"]


def test_what_the_project_s_own_folder_is_called_names_nothing(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clone at another place is generated alike."""
    names = []
    for folder in ("shop", "clone"):
        write(here, f"{folder}/shop.proto", 'syntax = "proto3";\npackage shop;\nmessage A {}')
        monkeypatch.chdir(here / folder)
        names.append(built(Path("shop.proto")))
    assert names == [["shop.proto"], ["shop.proto"]]


def test_otherwise_it_is_named_from_its_folder(here: Path) -> None:
    write(here, "protos/part.proto", 'syntax = "proto3"; message B {}')
    write(
        here, "protos/app.proto", 'syntax = "proto3"; import "part.proto"; message A { B b = 1; }'
    )
    assert built(Path("protos/app.proto")) == ["part.proto", "app.proto"]


def test_roots_say_from_where_it_is_named(here: Path) -> None:
    write(here, "other/x/part.proto", 'syntax = "proto3"; message B {}')
    write(
        here, "mine/app.proto", 'syntax = "proto3"; import "x/part.proto"; message A { B b = 1; }'
    )
    names = built(Path("mine/app.proto"), roots=(Path("mine"), Path("other")))
    assert names == ["x/part.proto", "app.proto"]


def test_what_else_lies_around_is_not_compiled(here: Path) -> None:
    write(here, "node_modules/x/broken.proto", "nonsense")
    write(here, "other.proto", "nonsense")
    assert built(write(here, "app.proto", 'syntax = "proto3"; // import "no.proto";')) == [
        "app.proto"
    ]


def test_one_s_own_copy_of_the_options_is_taken(here: Path) -> None:
    write(here, "rhtmx/v1/schema.proto", 'syntax = "proto3"; package rhtmx.v1;')
    write(here, "app.proto", 'syntax = "proto3"; import "rhtmx/v1/schema.proto";')
    assert built(Path("app.proto")) == ["rhtmx/v1/schema.proto", "app.proto"]


def test_an_error_is_at_the_line_of_the_user_s_own_path(here: Path) -> None:
    write(here, "protos/part.proto", 'syntax = "proto3";\nmessage B { Foo c = 1; }')
    write(here, "protos/app.proto", 'syntax = "proto3";\nimport "part.proto";\nmessage A {')
    assert refused(Path("protos/app.proto")).splitlines() == [
        "protos/app.proto:3:11: encountered unmatched `{` delimiter",
        "protos/part.proto:2:13: cannot find `Foo` in this scope",
    ]


def test_a_number_that_is_there_twice_is_explained(here: Path) -> None:
    text = 'syntax = "proto3";\nmessage A { string b = 1; string c = 1; }'
    assert refused(write(here, "app.proto", text)) == (
        "app.proto:2:38: field number `1` used more than once: a number means one thing for ever, "
        "take one that was never used"
    )


def test_an_import_that_is_not_there_is_explained(here: Path) -> None:
    text = 'syntax = "proto3";\nimport "no.proto";'
    assert refused(write(here, "app.proto", text)) == (
        "app.proto:2:1: imported file does not exist: say with --root from which folder imports "
        "are named"
    )


def test_a_file_that_is_not_there_is_said(here: Path) -> None:
    assert refused(Path("no.proto")) == "no.proto: it cannot be read: No such file or directory"


def test_a_file_in_no_root_is_said(here: Path) -> None:
    write(here, "a/app.proto", 'syntax = "proto3";')
    assert refused(Path("a/app.proto"), roots=(Path("b"),)) == (
        "a/app.proto: it is not in 'b': say with --root from which folder imports are named"
    )


def test_without_buf_it_says_how_to_get_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(here / "python"))
    monkeypatch.setenv("PATH", str(here))
    with pytest.raises(NoCompilerError, match=r"'\.\[codegen\]' in a checkout"):
        build([write(here, "app.proto", 'syntax = "proto3";')])


@pytest.mark.parametrize(
    ("script", "words"),
    [("echo 'Failure: no' >&2; exit 1", "app.proto: buf: no"), ("exit 1", "app.proto: buf failed")],
)
def test_whatever_else_buf_says_is_told(
    here: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    program = write(here, "buf", f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(buf, "_program", lambda: str(program))
    assert refused(write(here, "app.proto", 'syntax = "proto3";')) == words


def test_places_are_shown_as_the_user_calls_the_files(here: Path) -> None:
    sources = find_sources([write(here, "protos/app.proto", HEAD)])
    assert dict(sources.shown) == {"app.proto": "protos/app.proto"}
