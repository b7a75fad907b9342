"""Writes the files of vectors: `python -m tests.vectors.generate`.

The binary forms come from the official protobuf library, not from our own glue,
so that the two can be compared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.vectors.good_cases import GOOD, Good
from tests.vectors.malformed_cases import MALFORMED, Malformed
from tests.vectors.newer_cases import NEWER, Newer
from tests.vectors.oracle import to_envelope
from tests.vectors.outgoing_cases import OUTGOING
from tests.vectors.url_cases import TEXTS, URLS

FOLDER = Path(__file__).parent


def good(case: Good) -> dict[str, object]:
    """Return one entry of `messages.json`."""
    frame = json.loads(case.canonical)
    vector: dict[str, object] = {
        "name": case.name,
        "case": frame["type"],
        "json": case.given or case.canonical,
        "canonical": case.canonical,
        "proto": to_envelope(frame).SerializeToString(deterministic=True).hex(),
    }
    if case.given_proto:
        vector["proto_given"] = case.given_proto.hex()
    return vector


def malformed(case: Malformed) -> dict[str, object]:
    """Return one entry of `malformed.json`."""
    vector = frame(case) | {"code": "bad_message", "path": case.path}
    if case.unseen_by_javascript:
        vector["unseen_by_javascript"] = True
    return vector


def newer(case: Newer) -> dict[str, object]:
    """Return one entry of `newer.json`."""
    vector = frame(case) | {"reads": case.reads, "notes": case.notes}
    return vector | ({"words": dict(case.words)} if case.words else {})


def frame(case: Malformed | Newer) -> dict[str, object]:
    """Return the name of an input, and the input as text, or as hex where it is none."""
    vector: dict[str, object] = {"name": case.name, "format": case.format}
    try:
        printable = case.format == "json" and case.data.decode()
    except UnicodeDecodeError:
        printable = False
    if printable is False:
        return vector | {"hex": case.data.hex()}
    return vector | {"input": printable}


def render(vectors: Sequence[Mapping[str, object]]) -> str:
    """Write vectors as a JSON list, one vector a line."""
    lines = ",\n".join(json.dumps(vector, ensure_ascii=True) for vector in vectors)
    return f"[\n{lines}\n]\n"


def files() -> dict[str, str]:
    """Return the text of all files by name."""
    return {
        "messages.json": render([good(case) for case in GOOD]),
        "malformed.json": render([malformed(case) for case in MALFORMED]),
        "newer.json": render([newer(case) for case in NEWER]),
        "outgoing.json": render([case._asdict() for case in OUTGOING]),
        "urls.json": render([each._asdict() for each in URLS]),
        "texts.json": render([each._asdict() for each in TEXTS]),
    }


if __name__ == "__main__":
    for name, text in files().items():
        (FOLDER / name).write_text(text)
