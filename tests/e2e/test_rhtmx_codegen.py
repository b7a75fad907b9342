"""`rhtmx codegen` and `buf generate` with `protoc-gen-rhtmx`, as programs, on real files."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.support.process import run
from tests.support.schemas import HEAD, write

TOOL = (sys.executable, "-c", "import sys; from rhtmx.cli import main; sys.exit(main())", "codegen")
PLUGIN = "import sys; from rhtmx_codegen.plugin import main; sys.exit(main())"
ROOT = Path(__file__).resolve().parents[2]
PLACES = {"PYTHONPATH": f"{ROOT}:{ROOT / 'clients/python'}"}
SCHEMA = f"""{HEAD}
message Task {{
  option (rhtmx.v1.entity) = {{
    name: "tasks" partition: {{fields: "team"}}
    access: {{actions: ACTION_READ tenant: {{field: "team" claim: "teams"}}}}
  }};
  string title = 1 [(buf.validate.field).string = {{min_len: 1 max_len: 80}}];
  string team = 2;
  int64 votes = 3 [(rhtmx.v1.field).merge = MERGE_COUNTER, (buf.validate.field).int64.gte = 0];
  optional google.protobuf.Timestamp due = 4;
  Priority priority = 5;
}}
enum Priority {{ PRIORITY_UNSPECIFIED = 0; PRIORITY_LOW = 1; }}
message SignUp {{
  option (rhtmx.v1.form) = {{name: "signup"}};
  string email = 1 [(buf.validate.field) = {{required: true string: {{email: true}}}}];
}}
"""
BOTH = ("--python", "app_schema", "--ts", "src/schema")
GENERATE = """\
version: v2
plugins:
  - local: [PYTHON, "-c", PLUGIN]
    out: .
    strategy: all
    opt: [python=app_schema, ts=src/schema, lock=schema.lock]
"""

pytest.importorskip("rhtmx_codegen.emit")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "app/app/v1/app.proto", SCHEMA)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    """What was generated."""
    made = [folder / "app_schema", folder / "src/schema"]
    paths = [path for each in made for path in each.rglob("*") if path.is_file()]
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return found | {"schema.lock": (folder / "schema.lock").read_bytes()}


def generate(folder: Path, *arguments: str, code: int = 0) -> str:
    ended = run(*TOOL, *arguments, folder=folder, environ=PLACES, code=code)
    return ended.output + ended.errors


def test_a_schema_alone_in_a_folder_becomes_code_that_python_reads(folder: Path) -> None:
    generate(folder, "app/app/v1/app.proto", *BOTH)
    assert generate(folder, "app/app/v1/app.proto", *BOTH, "--check").endswith("are up to date\n")
    told = run(
        *(sys.executable, "-c", "import app_schema; print(app_schema.schema.version)"),
        folder=folder,
        environ={"PYTHONPATH": f"{PLACES['PYTHONPATH']}:{folder}"},
    )
    assert told.output == "1\n"


def test_both_ways_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """Also after a key was renamed, which only the lock knows."""
    write(folder, "other/app/v1/app.proto", SCHEMA)
    for text in (
        SCHEMA,
        SCHEMA.replace("string title", "string name").replace(
            "message Task", "option (rhtmx.v1.schema).version = 2;\nmessage Task", 1
        ),
    ):
        write(folder, "app/app/v1/app.proto", text)
        generate(folder, "app/app/v1/app.proto", *BOTH)
        one = contents(folder)
        for name in ("app_schema", "src"):
            shutil.rmtree(folder / name)
        generate(folder, "--protos", "protos")
        write(folder, "buf.yaml", "version: v2\nmodules: [{path: app}, {path: protos}]\n")
        settings = GENERATE.replace("PYTHON", f'"{sys.executable}"').replace(
            "PLUGIN", f'"{PLUGIN}"'
        )
        write(folder, "buf.gen.yaml", settings)
        buf = shutil.which("buf", path=str(Path(sys.executable).parent)) or "buf"
        run(buf, "generate", folder=folder, environ=PLACES)
        assert contents(folder) == one
    assert b'"title"' in one["schema.lock"]


def test_what_is_refused_has_its_line(folder: Path) -> None:
    write(folder, "app/app/v1/app.proto", SCHEMA.replace("string team", "string extra"))
    told = generate(folder, "app/app/v1/app.proto", *BOTH, code=2)
    assert "app/app/v1/app.proto:13:3: field extra of Task" in told
    assert not (folder / "app_schema").exists()
