"""The unit for systemd: systemd finds nothing wrong with it, and what it starts is there."""

from __future__ import annotations

import shlex
import shutil
from configparser import ConfigParser
from pathlib import Path

import pytest

from rhtmx_server.cli.errors import USAGE
from rhtmx_server.config import Config
from tests.support.installed import ALONE, install
from tests.support.process import ROOT, ServerProcess, ready, run, running

UNIT = ROOT / "docs" / "deploy" / "rhtmx.service"
TEXT = UNIT.read_text(encoding="utf-8")
MOST_EXPOSED = 20
"""Of 100, by `systemd-analyze security`: at most this is what it calls OK."""


@pytest.fixture
def service() -> dict[str, str]:
    """The settings of the service; of one that is there twice, the last."""
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(TEXT)
    return dict(parser["Service"])


def test_systemd_knows_all_of_it_and_finds_it_hardened(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze: it comes with systemd")
    unit = tmp_path / UNIT.name
    unit.write_text(TEXT.replace("/opt/rhtmx/bin/rhtmx-server", "/bin/true"))
    ended = run(analyze, "verify", "--recursive-errors=no", unit)
    assert ended.output + ended.errors == ""
    run(analyze, "security", "--offline=yes", f"--threshold={MOST_EXPOSED}", unit)


def test_it_leaves_the_server_time_to_stop_and_files_for_all_connections(
    service: dict[str, str],
) -> None:
    assert int(service["TimeoutStopSec"]) > Config().stop_timeout
    assert int(service["LimitNOFILE"]) > Config().connections
    assert int(service["RestartPreventExitStatus"]) == USAGE


async def test_what_it_starts_runs_as_installed(
    service: dict[str, str], shared: Path, tmp_path: Path
) -> None:
    state = f"/var/lib/{service['StateDirectory']}"
    program, *arguments = shlex.split(service["ExecStart"].replace(state, str(tmp_path)))
    assert f"python3 -m venv {Path(program).parents[1]}" in TEXT
    assert "app.py in " + service["WorkingDirectory"] in TEXT
    (tmp_path / "app.py").write_text("from rhtmx_server import App\napp = App()\napp.entity('a')\n")
    command: tuple[str | Path, ...] = (install(shared) / Path(program).name, *arguments)
    environ = {**ALONE, "RHTMX_PORT": "0"}
    async with running(*command, folder=tmp_path, environ=environ) as process:
        server = ServerProcess(process, await ready(process))
        assert await server.terminate() == 0
    assert (tmp_path / "app.db").exists()
