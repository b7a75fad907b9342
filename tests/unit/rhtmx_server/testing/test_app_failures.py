"""Which failures of the app fail a test."""

from __future__ import annotations

import pytest

from rhtmx_server.testing.app_failures import AppFailed, AppFailures


def test_none_is_well() -> None:
    AppFailures().check()


def test_one_is_raised_with_what_failed_and_how_many_more() -> None:
    failures = AppFailures()
    failures.add(OSError("no disk"), "validator f.x failed, correlation id 12ab")
    failures.add(KeyError("k"), "on_commit note failed")
    with pytest.raises(AppFailed, match=r"^validator f\.x failed \(and 1 more: see the log\):"):
        failures.check()


def test_an_expectation_takes_what_has_come_and_what_comes() -> None:
    failures = AppFailures()
    failures.add(OSError("no disk"), "a")
    expected = failures.expect(OSError, "disk")
    failures.add(OSError("slow disk"), "b")
    failures.check()
    assert [str(each) for each in expected.met] == ["no disk", "slow disk"]


def test_it_does_not_take_another_class_or_another_text() -> None:
    failures = AppFailures()
    failures.expect(OSError, "disk")
    failures.add(OSError("no network"), "a")
    failures.add(KeyError("disk"), "b")
    assert [what for _, what in failures.unexpected] == ["a", "b"]


def test_what_is_expected_has_to_come() -> None:
    failures = AppFailures()
    failures.expect(OSError, "disk")
    failures.expect(KeyError)
    with pytest.raises(AppFailed, match=r"fails with OSError matching 'disk', KeyError, and none"):
        failures.check()
