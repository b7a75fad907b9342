"""Facts about `release.notes`."""

from __future__ import annotations

import pytest

from release.notes import UNRELEASED, ReleaseError, agree, section, sums

CHANGELOG = """# Changelog

## [Unreleased]

- To come.

## [0.2.0] - 2027-01-31

### Added

- Two.

## [0.1.0] - 2026-12-01

- One.

## [0.0.2]

- No date.

## [0.0.1] - 2026-01-01
"""


@pytest.mark.parametrize(
    ("version", "text"),
    [
        (UNRELEASED, "- To come.\n"),
        ("0.2.0", "### Added\n\n- Two.\n"),
        ("0.1.0", "- One.\n"),
    ],
)
def test_the_notes_are_the_section_of_the_version(version: str, text: str) -> None:
    assert section(CHANGELOG, version) == text


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("0.3.0", r"no section \[0\.3\.0\]: put what is new under ## \[0\.3\.0\] - YYYY-MM-DD"),
        ("0.2", r"no section \[0\.2\]"),
        ("0.0.2", r"give \[0\.0\.2\] its date"),
        ("0.0.1", r"says nothing of \[0\.0\.1\]"),
    ],
)
def test_without_a_dated_section_there_is_no_release(version: str, words: str) -> None:
    with pytest.raises(ReleaseError, match=words):
        section(CHANGELOG, version)


def test_all_places_have_to_name_one_version() -> None:
    agree("0.2.0", {"the tag": "0.2.0"})
    with pytest.raises(ReleaseError, match=r"is 0\.2\.0, but package\.json says 0\.1\.0"):
        agree("0.2.0", {"the tag": "0.2.0", "package.json": "0.1.0"})


def test_the_sums_are_as_sha256sum_writes_them() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert sums({"a": b"", "b": b""}) == f"{empty}  a\n{empty}  b\n"
