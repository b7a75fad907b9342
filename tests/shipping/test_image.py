"""The Dockerfile: what it promises, and its steps, run in a folder in the place of the image."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from rhtmx_server.cli.table import GROUPS
from rhtmx_server.config import Config
from rhtmx_server.storage import open_storage
from tests.support import programs
from tests.support.dockerfile import Stage, copied, here, ignored, stages
from tests.support.installed import ALONE
from tests.support.nginx import free_port
from tests.support.process import ROOT, ServerProcess, ran, ready, run, running

FOLDER = ROOT / "docs" / "deploy"
BUILD, IMAGE = stages((FOLDER / "Dockerfile").read_text(encoding="utf-8"))
LEFT = ignored((FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8"))
SETTINGS = dict(each.split("=", 1) for each in IMAGE.one("ENV").words)


def test_the_image_has_nothing_of_the_source_but_what_was_installed() -> None:
    assert BUILD.base.removesuffix("-slim") == IMAGE.base.removesuffix("-slim")
    assert IMAGE.base.endswith("-slim")
    (copy,) = IMAGE.all("COPY")
    assert copy.flags == {"from": BUILD.name}
    assert [each.rest for each in IMAGE.all("RUN")] == ["install -d -o 10001 -g 10001 /data"]
    assert all("--no-cache-dir" in each.rest for each in BUILD.all("RUN") if "pip " in each.rest)


def test_its_user_has_no_rights_and_the_folder_of_the_store() -> None:
    user, group = IMAGE.one("USER").rest.split(":")
    assert int(user) > 1000, "a number, so that others can see that it is not root"
    assert f"-o {user} -g {group} {IMAGE.one('VOLUME').rest}" in IMAGE.one("RUN").rest
    place = SETTINGS["RHTMX_STORE"].removeprefix("sqlite:///")
    assert Path(place).parent == Path(IMAGE.one("VOLUME").rest)
    assert open_storage(SETTINGS["RHTMX_STORE"], None)


def test_its_settings_are_options_of_the_server() -> None:
    known = {each.variable for options in GROUPS.values() for each in options}
    assert SETTINGS.keys() - {"PATH"} <= known
    assert IMAGE.one("EXPOSE").rest == SETTINGS["RHTMX_PORT"] == str(Config().port)
    # The server ends in order on this one.
    assert IMAGE.one("STOPSIGNAL").rest == "SIGTERM"


def test_what_it_copies_is_in_the_context_and_there_is_nothing_else() -> None:
    sources = [name for each in BUILD.all("COPY") for name in each.words[:-1]]
    assert sorted(sources) == sorted(LEFT)
    assert all((ROOT / each).exists() for each in LEFT)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the steps of the first stage make, below a folder."""
    programs.pypi("msgspec")
    root = tmp_path_factory.mktemp("image")
    tools = root / "usr" / "bin"
    tools.mkdir(parents=True)
    python = tools / "python"
    python.symlink_to(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")
    (tools / "pip").write_text(f'#!/bin/sh\nexec {sys.executable} -m pip "$@"\n')
    (tools / "pip").chmod(0o755)
    _steps(BUILD, root, {"PATH": f"{tools}:{os.environ['PATH']}"})
    return root


def _steps(stage: Stage, root: Path, environ: dict[str, str]) -> None:
    folder = root
    for each in stage.instructions:
        if each.word == "WORKDIR":
            folder = Path(here(each.rest, root))
            folder.mkdir(parents=True)
        elif each.word == "COPY":
            copied(each, ROOT, LEFT, folder)
        elif each.word == "ARG":
            name, _, value = each.rest.partition("=")
            environ[name] = value
        else:
            assert each.word == "RUN"
            command = ("sh", "-ec", here(each.rest, root))
            run(*command, folder=folder, environ={**ALONE, **environ}, patience=600)


async def test_what_it_installs_runs_and_says_whether_it_is_healthy(root: Path) -> None:
    folder, data = (Path(here(IMAGE.one(each).rest, root)) for each in ("WORKDIR", "VOLUME"))
    run("mkdir", folder, data)
    # Its settings, but neither its networks nor its port: other tests run beside this one.
    path = here(SETTINGS["PATH"], root).replace("$PATH", os.environ["PATH"])
    store = SETTINGS["RHTMX_STORE"].replace("//data", f"/{root}/data")
    own = {"RHTMX_HOST": "127.0.0.1", "RHTMX_PORT": str(free_port())}
    environ = {**ALONE, **SETTINGS, **own, "PATH": path, "RHTMX_STORE": store}
    (folder / "app.py").write_text("from rhtmx_server import App\napp = App()\napp.entity('a')\n")
    (entry,) = IMAGE.one("ENTRYPOINT").words
    command = (root / "opt" / "rhtmx" / "bin" / entry, "--app", "app:app")
    name, *arguments = json.loads(IMAGE.one("HEALTHCHECK").rest.removeprefix("CMD "))
    asking = (root / "opt" / "rhtmx" / "bin" / name, *arguments)
    async with running(*command, folder=folder, environ=environ) as process:
        server = ServerProcess(process, await ready(process))
        await ran(*asking, environ=environ)
        assert await server.terminate() == 0
    assert (data / "app.db").exists()
    assert (await ran(*asking, code=None, environ=environ)).code == 1
