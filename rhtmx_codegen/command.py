"""The command `rhtmx codegen`: a schema in, generated files out, or compared with what is there.

Knows the command line, and is the only part with `files`, `sources` and `buf` that touches the
disk. Must not know what is in a file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rhtmx_codegen.buf import NoCompilerError, compile_sources
from rhtmx_codegen.files import Changes, NotOursError, apply, compare
from rhtmx_codegen.generate import Emitters, Generated, generate
from rhtmx_codegen.lock import NO_LOCK, Lock, read_lock
from rhtmx_codegen.problems import Problem, SchemaError
from rhtmx_codegen.sources import OWN, Sources, find_sources

__all__ = ["main"]

DONE, DIFFERS, REFUSED = 0, 1, 2

_DESCRIPTION = """\
Make typed Python and TypeScript of an application's schema: its entities and forms,
as protobuf messages. buf/validate/validate.proto and rhtmx/v1/schema.proto come along.

Each folder belongs to one schema. What was generated there before and is no part of it
any more is removed; a file that was not generated is never touched.

schema.lock keeps every version of the schema: commit it with the rest."""

_EPILOG = """\
examples:
  rhtmx codegen app.proto --python app_schema --ts src/schema
  rhtmx codegen app.proto --python app_schema --check          for CI
  rhtmx codegen app.proto --python app_schema --breaking
      refuse what clients of the same version could tell
  git show main:schema.lock > old.lock
  rhtmx codegen app.proto --check --breaking --against old.lock --python app_schema

exit codes: 0 done, or nothing differs; 1 something differs; 2 the schema is refused,
or something is missing"""


class _UsageError(Exception):
    """The command line makes no sense; the message says why."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise _UsageError(f"{message} (see {self.prog} --help)")


def main(
    arguments: Sequence[str] | None = None,
    *,
    using: Emitters | None = None,
) -> int:
    """Run the command.

    Args:
        arguments: those behind `rhtmx codegen`; by default the process's own.
        using: what makes the files, by default the product's emitters.

    Returns:
        The exit code: 0 done, or nothing differs; 1 something differs; 2 refused.
    """
    try:
        options = _parser().parse_args(sys.argv[1:] if arguments is None else list(arguments))
        return _run(options, using)
    except SystemExit as end:  # --help
        return int(end.code or 0)
    except SchemaError as error:
        _tell(*map(str, error.problems))
    except (_UsageError, NoCompilerError, NotOursError) as error:
        _tell(f"error: {error}")
    except OSError as error:
        _tell(f"error: {error.filename}: {error.strerror}")
    return REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="rhtmx codegen",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("files", metavar="FILE", nargs="*", type=Path, help="the schema's .proto")
    parser.add_argument("--python", metavar="FOLDER", help="where the Python package goes")
    parser.add_argument("--ts", metavar="FOLDER", help="where the TypeScript modules go")
    parser.add_argument(
        "--root",
        metavar="FOLDER",
        type=Path,
        action="append",
        default=[],
        help="folder from which imports are named; may be given several times [as the package of "
        "the first file says, or that file's folder]",
    )
    parser.add_argument(
        "--lock",
        metavar="FILE",
        type=Path,
        default=Path("schema.lock"),
        help="what every version of the schema was [%(default)s]",
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; list what differs, and exit with 1"
    )
    parser.add_argument(
        "--breaking",
        action="store_true",
        help="refuse changes that clients of the same version could tell",
    )
    parser.add_argument(
        "--against",
        metavar="FILE",
        type=Path,
        help="with --breaking: the lock to compare with [that of --lock]",
    )
    parser.add_argument(
        "--protos",
        metavar="FOLDER",
        type=Path,
        help="only write the two files that schemas import there, for editors and `buf generate`",
    )
    return parser


def _run(options: argparse.Namespace, using: Emitters | None) -> int:
    if options.protos is not None:
        return _protos(options.protos)
    if not options.files:
        raise _UsageError("which FILE? (see rhtmx codegen --help)")
    folders = {name: getattr(options, name) for name in ("python", "ts")}
    folders = {name: folder for name, folder in folders.items() if folder is not None}
    if not folders:
        raise _UsageError("where to? give --python FOLDER, --ts FOLDER, or both")
    if "" in folders.values():
        raise _UsageError("where to? the name of a FOLDER is empty (`.` is the one you are in)")
    if options.against is not None and not options.breaking:
        raise _UsageError("--against needs --breaking")
    lock = _lock(options.lock, missing=NO_LOCK)
    against = _lock(options.against) if options.against is not None else lock
    sources = find_sources(options.files, options.root)
    descriptors = compile_sources(sources)
    try:
        made = generate(descriptors, sources.names, folders, lock, against=against, using=using)
    except SchemaError as error:
        raise SchemaError(sources.in_words_of_the_user(error.problems)) from None
    _judge(made, sources, options)
    wanted = {Path(path): text for path, text in made.files.items()}
    changes = compare({**wanted, options.lock: made.lock})
    return _check(changes) if options.check else _write(changes)


def _protos(folder: Path) -> int:
    """Write what schemas import where others find it, too."""
    changes = Changes()
    for source in sorted(OWN.rglob("*.proto")):
        changes.written[folder / source.relative_to(OWN)] = source.read_bytes()
    return _write(changes)


def _lock(path: Path, missing: Lock | None = None) -> Lock:
    if missing is not None and not path.exists():
        return missing
    return read_lock(path.read_bytes(), str(path))


def _judge(made: Generated, sources: Sources, options: argparse.Namespace) -> None:
    """Refuse changes that clients could tell, or only say that there are some."""
    found: list[Problem] = sources.in_words_of_the_user(made.breaking)
    if found and options.breaking:
        raise SchemaError(found)
    if found:
        _tell(
            "note: clients that have this version already can tell (--breaking refuses it):",
            *(f"  {each}" for each in found),
        )
    if found and not options.check:
        _tell(
            f"  {options.lock} has forgotten what the version was before: if clients have it, take "
            "the committed file back before you raise the version"
        )


def _check(changes: Changes) -> int:
    lines = list(changes.lines())
    if not lines:
        _say(f"{changes.same} files are up to date")
        return DONE
    _tell(
        "the generated files are not those of the schema:",
        *(f"  {line}" for line in lines),
        "run `rhtmx codegen` without --check, and commit the result",
    )
    return DIFFERS


def _write(changes: Changes) -> int:
    apply(changes)
    for path in sorted(changes.written):
        _say(f"{path} written")
    for path in changes.removed:
        _say(f"{path} removed")
    if not changes.written and not changes.removed:
        _say(f"{changes.same} files are up to date")
    return DONE


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _tell(*lines: str) -> None:
    sys.stderr.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    sys.exit(main())
