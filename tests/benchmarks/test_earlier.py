"""An earlier commit can be measured, and where there is no history nothing fails."""

from __future__ import annotations

import pytest

from benchmarks.support.earlier import checkout
from benchmarks.support.processes import ROOT


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a clone")
def test_a_commit_is_taken_out_of_the_history_and_its_folder_goes_again() -> None:
    with checkout("HEAD") as folder:
        assert folder is not None
        assert (folder / "rhtmx_server" / "app.py").exists()
        assert (folder / "clients" / "python" / "rhtmx" / "__init__.py").exists()
    assert not folder.exists()


def test_a_commit_that_the_history_does_not_reach_is_none() -> None:
    with checkout("0" * 40) as folder:
        assert folder is None
