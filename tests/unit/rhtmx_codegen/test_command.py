"""Facts about `rhtmx_codegen.command`: the order of things, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rhtmx_codegen.command import main
from rhtmx_codegen.files import MARK
from rhtmx_codegen.generate import Emitter, Emitters
from rhtmx_codegen.model import Schema
from rhtmx_codegen.problems import Location, Problem, SchemaError
from tests.support.schemas import HEAD, write

SCHEMA = f"{HEAD}message Task {{ option (rhtmx.v1.entity) = {{}}; string a = 1; }}\n"


def fake(name: str) -> Emitter:
    def emit(schema: Schema) -> dict[str, str]:
        said = f"{sorted(schema.messages)} {[(e.old, e.new) for e in schema.renames]}"
        return {name: f"# {MARK}\n# {said}\n"}

    return emit


FAKES: Emitters = {"python": fake("tasks.py"), "ts": fake("tasks.ts")}
BOTH = ("app.proto", "--python", "app_schema", "--ts", "src/schema")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in a folder with a schema."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "app.proto", SCHEMA)

    def run(*arguments: str, using: Emitters = FAKES) -> tuple[int, str, str]:
        status = main(arguments, using=using)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def edit(old: str, new: str) -> None:
    path = Path("app.proto")
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_both_languages_and_the_lock_are_written(run: Run) -> None:
    assert run(*BOTH) == (
        0,
        "app_schema/tasks.py written\nschema.lock written\nsrc/schema/tasks.ts written\n",
        "",
    )
    assert Path("app_schema/tasks.py").read_text() == f"# {MARK}\n# ['app.v1.Task'] []\n"


def test_one_language_is_enough(run: Run) -> None:
    assert run("app.proto", "--ts", ".")[1] == "schema.lock written\ntasks.ts written\n"


def test_what_has_not_changed_is_not_written(run: Run) -> None:
    run(*BOTH)
    assert run(*BOTH) == (0, "3 files are up to date\n", "")


def test_what_is_left_over_is_removed(run: Run) -> None:
    run(*BOTH)
    using = {**FAKES, "python": fake("other.py")}
    assert (
        run(*BOTH, using=using)[1] == "app_schema/other.py written\napp_schema/tasks.py removed\n"
    )


def test_check_writes_nothing_and_lists_what_differs(run: Run) -> None:
    status, said, told = run(*BOTH, "--check")
    assert (status, said) == (1, "")
    assert told.splitlines() == [
        "the generated files are not those of the schema:",
        "  app_schema/tasks.py: missing",
        "  schema.lock: missing",
        "  src/schema/tasks.ts: missing",
        "run `rhtmx codegen` without --check, and commit the result",
    ]
    assert [path.name for path in Path().iterdir()] == ["app.proto"]


def test_check_is_fine_with_what_was_written(run: Run) -> None:
    run(*BOTH)
    assert run(*BOTH, "--check") == (0, "3 files are up to date\n", "")


def test_check_sees_a_schema_that_was_locked_otherwise(run: Run) -> None:
    run(*BOTH)
    edit("string a = 1;", "string a = 1; string b = 2;")
    status, _, told = run(*BOTH, "--check")
    assert status == 1
    assert "  schema.lock: another content" in told


def test_a_breaking_change_is_noted_and_written(run: Run) -> None:
    run(*BOTH)
    edit("string a = 1;", "string b = 1;")
    status, said, told = run(*BOTH)
    assert (status, said) == (0, "schema.lock written\n")
    assert told.startswith(
        "note: clients that have this version already can tell (--breaking refuses it):\n"
        "  app.proto:6:47: field b of Task has the key 'b', and had 'a': keep it with"
    )
    assert told.endswith(
        "  schema.lock has forgotten what the version was before: if clients have it, take the "
        "committed file back before you raise the version\n"
    )


def test_what_would_be_forgotten_is_kept_by_a_check(run: Run) -> None:
    run(*BOTH)
    edit("string a = 1;", "string b = 1;")
    assert "forgotten" not in run(*BOTH, "--check")[2]


@pytest.mark.parametrize("name", ["app-schema", "2fa", "class"])
def test_a_folder_that_python_cannot_import_is_refused(run: Run, name: str) -> None:
    assert run("app.proto", "--python", f"src/{name}") == (
        2,
        "",
        f"src/{name}: Python imports the package by its folder's name, and no package can be "
        f"called {name}: take letters, digits and _, such as app_schema\n",
    )
    assert not Path("src").exists()


@pytest.mark.parametrize("folder", [".", "..", "src/app_schema/"])
def test_other_folders_of_python_are_taken(run: Run, folder: str) -> None:
    assert run("app.proto", "--python", folder, "--check")[0] == 1


def test_with_breaking_it_is_refused_and_nothing_is_written(run: Run) -> None:
    run(*BOTH)
    before = Path("schema.lock").read_text()
    edit("string a = 1;", "string b = 1;")
    status, said, told = run(*BOTH, "--breaking")
    assert (status, said) == (2, "")
    assert told.startswith("app.proto:6:47: field b of Task has the key 'b', and had 'a'")
    assert Path("schema.lock").read_text() == before


def test_with_a_higher_version_it_is_taken_and_the_rename_is_known(run: Run) -> None:
    run(*BOTH)
    edit("string a = 1;", "string b = 1;")
    edit("message", "option (rhtmx.v1.schema).version = 2;\nmessage")
    assert run(*BOTH, "--breaking")[0] == 0
    assert "[('a', 'b')]" in Path("app_schema/tasks.py").read_text()


def test_another_lock_can_be_compared_with(run: Run) -> None:
    run(*BOTH)
    Path("schema.lock").rename("old.lock")
    edit("string a = 1;", "string b = 1;")
    run(*BOTH)
    assert run(*BOTH, "--check", "--breaking")[0] == 0
    status, _, told = run(*BOTH, "--check", "--breaking", "--against", "old.lock")
    assert (status, told[:14]) == (2, "app.proto:6:47")


def test_the_lock_can_lie_elsewhere(run: Run) -> None:
    assert "in/app.lock written" in run(*BOTH, "--lock", "in/app.lock")[1]


def test_the_protos_can_be_had(run: Run) -> None:
    said = "protos/buf/validate/validate.proto written\nprotos/rhtmx/v1/schema.proto written\n"
    assert run("--protos", "protos") == (0, said, "")


def test_an_error_of_the_schema_is_at_the_user_s_own_path(run: Run) -> None:
    Path("protos").mkdir()
    Path("app.proto").rename("protos/app.proto")
    text = SCHEMA.replace("string a", "string extra")
    write(Path("protos"), "app.proto", text)
    status, _, told = run("protos/app.proto", "--python", "out")
    assert (status, told[:22]) == (2, "protos/app.proto:6:47:")


def test_an_error_of_an_emitter_is_said_once(run: Run) -> None:
    def refuse(schema: Schema) -> dict[str, str]:
        raise SchemaError([Problem(Location("app.proto", 6, 1), "no")])

    told = run(*BOTH, using={"python": refuse, "ts": refuse})
    assert told == (2, "", "app.proto:6:1: no\n")


def test_a_file_of_somebody_else_is_not_overwritten(run: Run) -> None:
    write(Path("app_schema"), "tasks.py", "mine = 1\n")
    status, said, told = run(*BOTH)
    assert (status, said) == (2, "")
    assert told.startswith("error: app_schema/tasks.py was not generated by `rhtmx codegen`")
    assert not Path("schema.lock").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "error: which FILE? (see rhtmx codegen --help)\n"),
        (("app.proto",), "error: where to? give --python FOLDER, --ts FOLDER, or both\n"),
        *(
            (
                (*BOTH, option, ""),  # as of a variable of the shell that is not set
                "error: where to? the name of a FOLDER is empty (`.` is the one you are in)\n",
            )
            for option in ("--python", "--ts")
        ),
        ((*BOTH, "--against", "x"), "error: --against needs --breaking\n"),
        ((*BOTH, "--no"), "error: unrecognized arguments: --no (see rhtmx codegen --help)\n"),
        (
            (*BOTH, "--breaking", "--against", "x"),
            "error: x: No such file or directory\n",
        ),
        (("no.proto", "--ts", "x"), "no.proto: it cannot be read: No such file or directory\n"),
        (
            (*BOTH, "--lock", "app.proto"),
            "app.proto:1: it is no lock of a schema: take the one that was committed last (after a "
            "merge either side), and run `rhtmx codegen` again\n",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(run: Run, arguments: tuple[str, ...], words: str) -> None:
    assert run(*arguments) == (2, "", words)


def test_help_is_there(run: Run) -> None:
    status, said, _ = run("--help")
    assert status == 0
    assert "rhtmx codegen app.proto --python app_schema --ts src/schema" in said
