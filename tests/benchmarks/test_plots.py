"""The plots are made from the JSON of a run, and show all of it."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import growth
from benchmarks.plots import draw
from benchmarks.support.figures import Table


def test_a_report_becomes_three_pictures(tmp_path: Path) -> None:
    connections = Table(growth.FAN_OUT, "1/s")
    for count in (100, 5000):
        for burst in (1, 10):
            for subject in ("rhtmx", "websockets.broadcast"):
                connections.add(f"{count:,} subscribers, {burst:2} a tick, JSON", subject, 1000)
    records = [Table(title, "1/s") for title in (growth.PUSHES, growth.PUSHES_WALL, growth.RESUME)]
    for table in records:
        table.add("10,000 records", "rhtmx", 900)
        table.add("1,000,000 records", "rhtmx", 800)
    tables = [table.as_json() for table in (connections, *records)]
    figures = json.loads(json.dumps({"growth": {"tables": tables}}))

    files = draw(figures, tmp_path / "plots")

    assert [file.name for file in files] == [
        "growth-fan-out.png",
        "growth-pushes.png",
        "growth-resume.png",
    ]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)
