"""Facts about `rhtmx_server.cli.main`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import rhtmx
from rhtmx_server.cli import main as package_main
from rhtmx_server.cli.main import main
from rhtmx_server.cli.mirroring import Declaration
from rhtmx_server.config import Config
from rhtmx_server.mirror.mirrors import Mirrors


class FakeApp:
    """Remembers how it was configured."""

    config = Config(host="app.example", port=1)
    store: str | None = "the app's"
    mirror = Mirrors(lambda entity: None, lambda: False)

    @property
    def blueprint(self) -> Declaration:
        raise AssertionError("not looked at here")

    def configure(
        self, config: Config, *, store: str | None = None, bus: str | None = None
    ) -> None:
        if store == "bad://":
            raise ValueError("store: 'bad://': there is no store of kind 'bad'")
        if bus is not None:
            raise ValueError("bus: 'bad' names no bus")
        self.config = config
        self.store = store or self.store

    async def serve(self, *, ready: Callable[[str], None] | None = None) -> None:
        raise AssertionError("not run here")


@pytest.fixture(autouse=True)
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[FakeApp]]:
    """The apps that were run; `live:app` is one to be found."""
    apps: list[FakeApp] = []

    def run(app: FakeApp) -> int:
        apps.append(app)
        return 7

    monkeypatch.setattr(sys.modules["rhtmx_server.cli.main"], "run", run)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setitem(sys.modules, "testing_main", sys.modules[__name__])
    (tmp_path / "live.py").write_text("import testing_main\napp = testing_main.FakeApp()\n")
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    level = root.level
    yield apps
    root.setLevel(level)  # setting the attribute would leave what loggers remember of it
    sys.modules.pop("live", None)


def test_the_app_is_run_with_its_own_settings(ran: list[FakeApp]) -> None:
    assert main(["--app", "live:app"], FakeApp) == 7
    (app,) = ran
    assert app.config == FakeApp.config
    assert app.store == "the app's"


def test_what_is_given_goes_before_the_apps_settings(
    ran: list[FakeApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RHTMX_STORE", "memory://")
    main(["--app", "live:app", "--port", "2"], FakeApp)
    (app,) = ran
    assert (app.config.host, app.config.port, app.store) == ("app.example", 2, "memory://")


def test_the_arguments_are_the_processs_own_if_none_are_given(
    ran: list[FakeApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["rhtmx-server", "--app", "live:app", "--port", "3"])
    assert main(None, FakeApp) == 7
    assert ran[0].config.port == 3


def test_without_an_app_it_is_the_demo(ran: list[FakeApp], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["rhtmx_server.cli.main"], "DEMO", "live:app")
    assert main([], FakeApp) == 7
    assert len(ran) == 1


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--app", "ap:app"], "cannot import 'ap' (--app ap:app): no module of that name in the"),
        (["--app", "live:app", "--port", "x"], "--port: a whole number expected, got 'x'"),
        (["--app", "live:app", "--grpc-cert", "c"], "grpc_cert and grpc_key go together: give"),
        (["--app", "live:app", "--store", "bad://"], "--store: 'bad://': there is no store of"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_runs(
    ran: list[FakeApp], capsys: pytest.CaptureFixture[str], argv: list[str], words: str
) -> None:
    assert main(argv, FakeApp) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"error: {words}")
    assert told.count("\n") == 1
    assert ran == []


def test_a_module_that_fails_is_a_failure_not_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "live.py").write_text("1 / 0")
    assert main(["--app", "live:app"], FakeApp) == 1


@pytest.mark.parametrize("argv", [["--help"], ["--version"]])
def test_help_and_version_are_no_failure(ran: list[FakeApp], argv: list[str]) -> None:
    assert main(argv, FakeApp) == 0
    assert ran == []


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--version"], FakeApp)
    assert capsys.readouterr().out == f"rhtmx-server {rhtmx.__version__}\n"


def test_the_log_is_as_the_options_say(
    ran: list[FakeApp], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--app", "live:app", "--log-format", "json", "--log-level", "error"], FakeApp)
    logging.getLogger("rhtmx_server").warning("no")
    logging.getLogger("rhtmx_server").error("yes")
    assert capsys.readouterr().err.count("\n") == 1


def test_the_package_offers_it() -> None:
    assert package_main is main
