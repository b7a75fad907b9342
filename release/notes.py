"""What is new in a version, and the sums of its files.

Knows how CHANGELOG.md is written, and the format of `sha256sum`. Reads and writes no file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

__all__ = ["UNRELEASED", "ReleaseError", "agree", "section", "sums"]

UNRELEASED = "Unreleased"
"""The heading of what is in no version yet."""

_SECTION = re.compile(r"^## \[(.+?)\]( - \d{4}-\d\d-\d\d)?\n(.*?)(?=^## |\Z)", re.M | re.S)


class ReleaseError(Exception):
    """Something keeps this from being released; the message says what to do first."""


def section(changelog: str, version: str) -> str:
    r"""What the changelog says of a version.

    Args:
        changelog: the text of CHANGELOG.md.
        version: as in its heading, `## [0.2.0] - 2027-01-31`; or `UNRELEASED`.

    Raises:
        ReleaseError: there is no such section, it is empty, or it has no date.

    Example:
        >>> section("## [0.2.0] - 2027-01-31\n\n- Faster.\n", "0.2.0")
        '- Faster.\n'
    """
    heading = f"## [{version}] - YYYY-MM-DD"
    for name, date, text in _SECTION.findall(changelog):
        if name != version:
            continue
        if version != UNRELEASED and not date:
            raise ReleaseError(f"CHANGELOG.md: give [{version}] its date: {heading}")
        if not text.strip():
            raise ReleaseError(f"CHANGELOG.md says nothing of [{version}]")
        return f"{text.strip()}\n"
    raise ReleaseError(f"CHANGELOG.md has no section [{version}]: put what is new under {heading}")


def agree(version: str, named: Mapping[str, str]) -> None:
    """See that all places name one version.

    Args:
        version: the one of the Python package.
        named: other places, each with the version that it names.

    Raises:
        ReleaseError: one of them names another.
    """
    others = {place: name for place, name in named.items() if name != version}
    if others:
        said = ", ".join(f"{place} says {name}" for place, name in others.items())
        raise ReleaseError(f"the version is {version}, but {said}")


def sums(files: Mapping[str, bytes]) -> str:
    """A line for each file, as `sha256sum --check` reads them.

    Example:
        >>> sums({"a.txt": b""})[:16]
        'e3b0c44298fc1c14'
    """
    lines = (f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items())
    return "".join(lines)
