"""The project's tasks. `nox -l` lists them.

nox -s codegen serve    regenerate everything from the schema, start the demo server
nox -s tests            every test there is, in both languages, but for
nox -s browsers         what is to hold in three browser engines, all of it
nox -s docs             the site: all pages, and a reference of both languages
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["tests"]

ROOT = Path(__file__).parent
TYPESCRIPT = ROOT / "clients" / "typescript"
PEERS = ROOT / "benchmarks" / "peers"
WEBSITE = ROOT / "website"
CENTRIFUGO = "github.com/centrifugal/centrifugo/v6@v6.9.1"
PARALLEL = ("-n", str((os.cpu_count() or 1) + 1), "--dist", "worksteal")
"""How pytest runs: one worker more than there are cores, as many tests wait for something."""

PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")


def group(name: str) -> tuple[str, ...]:
    """The pinned requirements of a dependency group."""
    return nox.project.dependency_groups(PROJECT, name)


@nox.session
def codegen(session: nox.Session) -> None:
    """Generate Python, TypeScript and docs from the schema; `-- --check` only compares."""
    session.install("-e", ".", *group("codegen"))
    check = "--check" in session.posargs
    _schema(session)
    session.run("python", "-m", "codegen", *(["--check"] if check else []))
    _demo(session, check=check)
    _examples(session, check=check)
    _bundle(session, check=check)


@nox.session
def serve(session: nox.Session) -> None:
    """Start the server with its demo on port 3000; arguments after `--` go to it.

    `-- --cluster` starts two, on a PostgreSQL and a NATS of their own.
    """
    if "--cluster" not in session.posargs:
        session.install("-e", ".[server]")
        session.run("python", "-m", "rhtmx_server", *session.posargs)
        return
    session.install("-e", ".[nats,postgres,server]", *group("cluster"))
    others = [each for each in session.posargs if each != "--cluster"]
    command = ("python", "-m", "tests.support.local_cluster", *others)
    # On Ctrl-C it ends what it has started, one after the other.
    session.run(*command, interrupt_timeout=20, terminate_timeout=20)


@nox.session
def tests(session: nox.Session) -> None:
    """Check the generated code, lint, type-check, and run every test but those of `browsers`."""
    session.install(
        "-e",
        ".[auth,postgres,server]",
        *(each for name in ("bench", "codegen", "lint", "test") for each in group(name)),
    )
    _schema(session)
    session.run("python", "-m", "codegen", "--check")
    _demo(session, check=True)
    _examples(session, check=True)
    _lint(session)
    _typescript(session)
    _bundle(session, check=True)
    _peers(session)
    session.run("pytest", *PARALLEL, *session.posargs)


@nox.session
def unit(session: nox.Session) -> None:
    """Run the fast tests only: no sockets, no browser, no subprocess."""
    session.install("-e", ".[auth,postgres,server]", *group("codegen"), *group("test"))
    session.run("pytest", *PARALLEL, "tests/unit", "tests/house", *session.posargs)


@nox.session
def browsers(session: nox.Session) -> None:
    """Try everything that is to hold in Chromium, Firefox and WebKit; `-- -k webkit` chooses."""
    session.install("-e", ".[auth,postgres,server]", *group("test"))
    with session.chdir(TYPESCRIPT):
        _npm(session, "ci", "--no-audit", "--no-fund")
    session.run("pytest", *PARALLEL, "-m", "", "tests/browser/test_engines.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure, ours and the peers in turn; `-- --help` tells what, `-- fan_out` chooses."""
    session.install("-e", ".[postgres,rules,server]", *group("bench"), *group("codegen"))
    _peers(session)
    if shutil.which("go") is None:
        session.warn("no go: Centrifugo is not measured")
    else:
        session.run("go", "install", CENTRIFUGO, env={"GOBIN": session.bin}, external=True)
    with session.chdir(TYPESCRIPT):
        _npm(session, "ci", "--no-audit", "--no-fund")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Put small bugs into what decides: which does no test notice? `-- merge` chooses."""
    session.install("-e", ".[auth,postgres,server]", *group("mutants"), *group("test"))
    with session.chdir(TYPESCRIPT):
        _npm(session, "ci", "--no-audit", "--no-fund")
    session.run("python", "-m", "tests.mutants", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Run ruff, mypy, Biome and the compiler of TypeScript."""
    session.install(
        "-e",
        ".[auth,postgres,server]",
        *(each for name in ("bench", "codegen", "lint", "test") for each in group(name)),
    )
    _lint(session)
    _lint_typescript(session)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site into build/site; `-- serve` shows it, on port 8000."""
    session.install(*group("docs"))
    for folder in (TYPESCRIPT, WEBSITE):
        with session.chdir(folder):
            _npm(session, "ci", "--no-audit", "--no-fund")
    session.run("python", "-m", "website", *session.posargs)


@nox.session
def release(session: nox.Session) -> None:
    """Build and check the packages in build/release, with notes and sums; uploads nothing.

    `-- --rehearsal` takes the notes from what is not released yet.
    """
    session.install(*group("release"))
    with session.chdir(TYPESCRIPT):
        _npm(session, "ci", "--no-audit", "--no-fund")
    session.run("python", "-m", "release", *session.posargs)


@nox.session
def breaking(session: nox.Session) -> None:
    """Compare the schema with the one on main: nothing that a peer relies on may go."""
    session.install(*group("codegen"))
    session.run("buf", "breaking", "--against", ".git#branch=main")


def _lint(session: nox.Session) -> None:
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy", ".")


def _lint_typescript(session: nox.Session) -> None:
    with session.chdir(TYPESCRIPT):
        _npm(session, "ci", "--no-audit", "--no-fund")
        _npm(session, "run", "lint")
        _npm(session, "run", "check")


def _typescript(session: nox.Session) -> None:
    _lint_typescript(session)
    with session.chdir(TYPESCRIPT):
        _npm(session, "test")


def _peers(session: nox.Session) -> None:
    """Install the servers on Node that the benchmarks compare with."""
    with session.chdir(PEERS):
        _npm(session, "ci", "--no-audit", "--no-fund")


def _schema(session: nox.Session) -> None:
    """Lint the schema, and see that it is formatted: what differs is printed."""
    session.run("buf", "lint")
    session.run("buf", "format", "--diff", "--exit-code")
    for application in ("examples/orders.proto", "rhtmx_server/demo/demo.proto"):
        session.run("buf", "format", "--diff", "--exit-code", application)


def _demo(session: nox.Session, *, check: bool) -> None:
    """Generate what the demo's schema makes, as an application does it."""
    python, typescript = "rhtmx_server/demo/schema", "clients/typescript/demo/schema"
    made = ("--python", python, "--ts", typescript, "--lock", "rhtmx_server/demo/schema.lock")
    _application(session, "rhtmx_server/demo/demo.proto", *made, check=check)


def _examples(session: nox.Session, *, check: bool) -> None:
    """Generate what the examples share."""
    made = ("--python", "examples/orders_schema", "--lock", "examples/schema.lock")
    for page in ("order_desk_react/src", "order_desk_ssr/app"):
        typescript = ("--ts", f"examples/{page}/schema")
        _application(session, "examples/orders.proto", *made, *typescript, check=check)


def _application(session: nox.Session, proto: str, *made: str, check: bool) -> None:
    checked = ("--check", "--breaking") if check else ()
    session.run("rhtmx", "codegen", proto, *made, *checked)


def _bundle(session: nox.Session, *, check: bool) -> None:
    """Build the browser bundle, which is checked in like all generated code."""
    if shutil.which("npm") is None:
        session.warn("no npm: the browser bundle stays as it is")
        return
    with session.chdir(TYPESCRIPT):
        if not (TYPESCRIPT / "node_modules").exists():
            _npm(session, "ci", "--no-audit", "--no-fund")
        _npm(session, "run", "bundle", *(["--", "--check"] if check else []))


def _npm(session: nox.Session, *arguments: str) -> None:
    session.run("npm", *arguments, external=True)
