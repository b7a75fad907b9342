"""Ways in which a file goes that a store has open, while the store goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

__all__ = ["deleted", "moved", "replaced_by_a_copy"]


def deleted(path: Path) -> None:
    """It has no name any more."""
    path.unlink()


def moved(path: Path) -> None:
    """It has another name."""
    path.rename(path.with_name("moved.db"))


def replaced_by_a_copy(path: Path) -> None:
    """Another file with the same content has its name, as after a backup was restored."""
    shutil.copy(path, path.with_name("backup.db"))
    path.with_name("backup.db").replace(path)
