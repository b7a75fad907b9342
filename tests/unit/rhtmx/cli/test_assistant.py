"""Facts about `rhtmx.cli.assistant`."""

from __future__ import annotations

import sys

import pytest

from rhtmx.cli.assistant import mcp
from rhtmx.cli.errors import USAGE, CommandError
from rhtmx.cli.requests import Mcp
from tests.support.process import run
from tests.unit.rhtmx.cli.screens import Screen, server


@pytest.mark.parametrize("missing", ["mcp", "mcp_types"])
async def test_without_the_package_it_says_how_to_get_it(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "rhtmx.mcp.stdio", raising=False)
    for name in [each for each in sys.modules if each.partition(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(CommandError) as raised:
        await mcp(server("ws://127.0.0.1:1/api/ws"), Mcp(), Screen().output)
    assert raised.value.status == USAGE
    assert "pip install 'rhtmx[mcp]'" in raised.value.message


@pytest.mark.parametrize("program", ["import rhtmx; rhtmx.connect", "import rhtmx.cli.main"])
def test_nobody_else_loads_the_package(program: str) -> None:
    found = "print([each for each in sys.modules if each.startswith(('mcp.', 'mcp_'))])"
    assert run(sys.executable, "-c", f"import sys; {program}; {found}").output == "[]\n"


def test_the_client_does_not_load_what_is_for_assistants() -> None:
    found = "print([each for each in sys.modules if each.startswith('rhtmx.mcp')])"
    program = f"import sys, rhtmx; rhtmx.connect; {found}"
    assert run(sys.executable, "-c", program).output == "[]\n"
