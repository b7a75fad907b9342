"""Facts about `rhtmx_server.__main__`."""

from __future__ import annotations

import pytest

from rhtmx_server.__main__ import main


def test_the_command_looks_for_apps_of_this_server(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RHTMX_APP", "collections:OrderedDict")
    assert main([]) == 2
    assert "not a rhtmx_server.App" in capsys.readouterr().err
