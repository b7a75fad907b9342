"""How far a long load is, as a line on a terminal.

Knows words. Must not know streams, nor what is loaded.
"""

from __future__ import annotations

from rhtmx.cli.output import Output
from rhtmx.values.progress import Progress

__all__ = ["ProgressLine"]


class ProgressLine:
    """Shows how far a load is, each time that it is one percent further.

    Args:
        output: where it is shown, if that is a terminal.
        what: what is loaded.
    """

    def __init__(self, output: Output, what: str) -> None:
        self._output = output
        self._what = what
        self._percent = -1

    def show(self, progress: Progress) -> None:
        """Show how far it is."""
        percent = int(progress.fraction * 100)
        if percent != self._percent:
            self._percent = percent
            came, all_of_it = f"{progress.received:,}", f"{progress.expected:,}"
            self._output.passing(f"{self._what}: {came} of {all_of_it} ({percent} %)")

    def clear(self) -> None:
        """Take the line away."""
        if self._percent >= 0:
            self._output.passing("")
