"""What failed in the app's own functions during a test, and which of that the test expects.

Knows exceptions and what is said of them. Must not know the app, nor the test.

A server that runs logs such a failure and goes on: one hook must not stop the others. A test has
to notice it.
"""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["AppFailed", "AppFailures", "Expectation"]


_SERVER = Path(__file__).parents[1]


class AppFailed(AssertionError):  # noqa: N818 (it says what happened, as pytest's own do)
    """A function of the app failed, and the test did not expect it; its cause is that failure."""


@dataclass(slots=True)
class Expectation:
    """A failure that a test expects.

    Args:
        kind: its class.
        match: a regular expression that its text has to contain; `None` for any text.

    Attributes:
        met: the exceptions that were as expected.
    """

    kind: type[BaseException]
    match: str | None = None
    met: list[BaseException] = field(default_factory=list)

    def takes(self, failure: BaseException) -> bool:
        """Whether a failure is the expected one; it is kept then."""
        if not isinstance(failure, self.kind):
            return False
        if self.match is not None and re.search(self.match, str(failure)) is None:
            return False
        self.met.append(failure)
        return True

    def __str__(self) -> str:
        """As it is shown in a failure."""
        match = "" if self.match is None else f" matching {self.match!r}"
        return f"{self.kind.__name__}{match}"


class AppFailures:
    """The failures of one test.

    Attributes:
        unexpected: those that no expectation takes: the exception, and what failed.
    """

    def __init__(self) -> None:
        self.unexpected: list[tuple[BaseException, str]] = []
        self._expected: list[Expectation] = []

    def expect(self, kind: type[BaseException], match: str | None = None) -> Expectation:
        """Expect a failure: one that has come already, or the next."""
        expectation = Expectation(kind, match)
        self._expected.append(expectation)
        self.unexpected = [each for each in self.unexpected if not expectation.takes(each[0])]
        return expectation

    def add(self, failure: BaseException, what: str) -> None:
        """Take note of a failure.

        Args:
            failure: the exception.
            what: what failed, in words.
        """
        if not any(each.takes(failure) for each in self._expected):
            self.unexpected.append((failure, what))

    def note(self, failed: BaseException) -> None:
        """Say in a test's own failure what failed in the app: that may be its reason."""
        for failure, what in self.unexpected:
            failed.add_note(f"\nDuring this test {_said(what)}:\n\n{_shown(failure)}")

    def check(self) -> None:
        """Make sure that all is as the test expects.

        Raises:
            AppFailed: something failed that was not expected; or an expected failure never came.
        """
        if self.unexpected:
            failure, what = self.unexpected[0]
            others = len(self.unexpected) - 1
            more = f" (and {others} more: see the log)" if others else ""
            raise AppFailed(
                f"{_said(what)}{more}:\n\n{_shown(failure)}\n\n"
                "If the test is about that, say so: "
                f"rhtmx_app.expect_failure({type(failure).__name__})"
            ) from failure
        missing = [str(each) for each in self._expected if not each.met]
        if missing:
            raise AppFailed(
                f"the test expects that a function of the app fails with {', '.join(missing)}, "
                "and none did"
            )


def _said(what: str) -> str:
    """What failed, without what is only for the log."""
    return re.sub(r", correlation id \w+$", "", what)


def _shown(failure: BaseException) -> str:
    """The traceback of a failure, from where the app's own function begins."""
    trace = failure.__traceback__
    while trace is not None and _is_around(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    shown = traceback.format_exception(type(failure), failure, trace or failure.__traceback__)
    return "".join(shown).rstrip()


def _is_around(file: str) -> bool:
    """Whether a frame is of what calls the app's functions."""
    return Path(file).is_relative_to(_SERVER) or "asyncio" in Path(file).parts
