"""Facts about `rhtmx_server` as a package."""

from __future__ import annotations

import sys

import pytest

from tests.support.process import run

IMPORT = "import sys; sys.modules[{!r}] = None; import rhtmx_server"
"""`None` is what Python keeps for a module that is not to be found."""


@pytest.mark.parametrize("name", ["prometheus_client", "apsw"])
def test_without_what_the_server_needs_it_says_what_to_install(name: str) -> None:
    ended = run(sys.executable, "-c", IMPORT.format(name), code=1)
    assert ended.errors.splitlines()[-1] == (
        f"ImportError: the server needs {name!r}, which is not installed: "
        "pip install 'rhtmx[server]', or '.[server]' in a checkout"
    )


def test_a_module_of_its_own_that_is_missing_is_called_by_its_name() -> None:
    ended = run(sys.executable, "-c", IMPORT.format("rhtmx_server.app"), code=1)
    assert "ModuleNotFoundError" in ended.errors.splitlines()[-1]
