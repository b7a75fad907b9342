"""The command: schema in, generated files out, or compared with what is there.

The only part of codegen that reads and writes files.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from codegen import python, typescript
from codegen.asyncapi import emit_asyncapi
from codegen.compare import compare
from codegen.descriptors import read_schema
from codegen.model import Schema
from codegen.protocol_doc import emit_protocol
from codegen.rules import check
from codegen.tools import ToolError, build_descriptors, format_python, generate_classes

ROOT = Path(__file__).resolve().parent.parent

# Everything in these folders is generated; anything else there is left over.
OWNED = (
    "clients/python/rhtmx/messages",
    "clients/python/rhtmx/wire/generated",
    "clients/typescript/src/messages",
    "clients/typescript/src/wire/generated",
)
DESCRIPTION = """\
Turns proto/rhtmx/v1/*.proto into everything that is made from it:

  clients/python/rhtmx/messages/          dataclasses, gRPC stubs, tables
  clients/python/rhtmx/wire/generated/    Python's half of both wire formats
  clients/typescript/src/messages/        types and tables
  clients/typescript/src/wire/generated/  TypeScript's half of both wire formats
  docs/protocol.md                        the protocol reference
  rhtmx_server/static/asyncapi.json       the protocol for programs, as AsyncAPI has it
  tests/vectors/schema.binpb              the schema for the tests' oracles

The results are checked in and never edited by hand. A schema that breaks a rule
of the wire is refused with file and line, and nothing is written.
"""
EPILOG = """\
examples:
  nox -s codegen               write the files
  nox -s codegen -- --check    compare only; exit 1 and a list if any differs

exit status: 0 done, or nothing differs; 1 something differs; 2 the schema is
refused, or a tool is missing
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: those of the command line, without the program's name.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(
        prog="python -m codegen",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; list what differs and exit with 1"
    )
    parser.add_argument(
        "--root", type=Path, default=ROOT, help="root of the repository (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    try:
        files = generate(options.root)
    except (ToolError, ValueError) as error:
        print(f"codegen: the schema cannot be turned into code:\n{error}", file=sys.stderr)
        return 2
    if options.check:
        return _check(options.root, files)
    _write(options.root, files)
    print(f"codegen: {len(files)} files are up to date")
    return 0


def generate(root: Path) -> dict[str, bytes]:
    """Make all generated files.

    Args:
        root: root of the repository.

    Returns:
        Their content by path relative to `root`.

    Raises:
        ToolError: the schema does not compile, or a program is missing.
        ValueError: the schema breaks a rule; one line for each, with its place.
    """
    schema = read_schema(build_descriptors(root))
    problems = check(schema)
    if problems:
        raise ValueError("\n".join(str(problem) for problem in problems))
    files = _message_classes(root)
    for path, text in _texts(root, schema).items():
        files[path] = text.encode()
    files["tests/vectors/schema.binpb"] = schema.descriptor
    return files


def _texts(root: Path, schema: Schema) -> dict[str, str]:
    formatted = {
        path: format_python(root, path, text) for path, text in python.emit(schema).items()
    }
    return {
        **formatted,
        **typescript.emit(schema),
        "docs/protocol.md": emit_protocol(schema),
        "rhtmx_server/static/asyncapi.json": emit_asyncapi(schema),
    }


def _message_classes(root: Path) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder)
        generate_classes(root, target)
        return _read(target, [path for path in target.rglob("*") if path.is_file()])


def _read(root: Path, paths: list[Path]) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def _present(root: Path, files: dict[str, bytes]) -> dict[str, bytes]:
    """Read what is there now: the expected files, and all in the owned folders."""
    paths = {root / path for path in files if (root / path).is_file()}
    for folder in OWNED:
        paths |= {path for path in (root / folder).rglob("*") if path.is_file()}
    return _read(root, sorted(path for path in paths if "__pycache__" not in path.parts))


def _check(root: Path, files: dict[str, bytes]) -> int:
    differences = compare(files, _present(root, files))
    if not differences:
        print(f"codegen: {len(files)} files are up to date")
        return 0
    print("codegen: the generated files are not those of the schema:", file=sys.stderr)
    for difference in differences:
        print(f"  {difference}", file=sys.stderr)
    print("run `nox -s codegen` and commit the result", file=sys.stderr)
    return 1


def _write(root: Path, files: dict[str, bytes]) -> None:
    present = _present(root, files)
    for path, content in files.items():
        if present.get(path) != content:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
    for path in present.keys() - files.keys():
        (root / path).unlink()


if __name__ == "__main__":
    sys.exit(main())
