"""Runs the campaign and prints what it has found."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from shutil import which

from tests.support.protovalidate_suite.campaign import Report, campaign
from tests.support.protovalidate_suite.suite import build, cases

LEAST = 2_000


def main() -> int:
    """Run it; 1 if a case is different, or too few agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", type=Path, help="protovalidate-conformance; built if left out")
    parser.add_argument("--no-browser", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        suite = cases(options.suite or build(folder))
        report = campaign(suite, folder, "" if options.no_browser else which("chromium") or "")
    show(report)
    wrong = report.different or report.placeless or report.words or report.apart
    return int(bool(wrong) or report.agreed < LEAST)


def show(report: Report) -> None:
    """Print a report."""
    refused = sum(report.refused.values())
    lines = [
        f"{report.agreed} agree in Python and Node by path and rule id",
        f"  of these {report.implied} where we refuse a number, too, that JSON cannot say",
        f"{report.erring} are to fail at run time: the rule is said to be broken",
        f"{len(report.different)} are different",
        f"{refused} are refused when code is generated, {len(report.placeless)} without a line:",
        *(f"  {count:4} {words[:150]}" for words, count in report.refused.most_common()),
        f"{len(report.words)} have other words in Python than in Node",
        f"{report.browser} were judged in Chromium, {len(report.apart)} of them not as in Node",
        f"out: {dict(report.out)}",
        *(line[:600] for line in report.different[:40]),
        *report.placeless[:5],
        *(line[:600] for line in report.words[:10]),
        *(line[:600] for line in report.apart[:10]),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
