"""A tracer that remembers what it was told."""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rhtmx_server.spans import Attribute, Kind, RemoteSpan, Span
from rhtmx_server.tracing import Tracing


@dataclass
class Taken:
    """One span."""

    name: str
    kind: Kind
    attributes: dict[str, Attribute]
    links: Sequence[RemoteSpan | Span]
    ended: list[str | None] = field(default_factory=list)
    entered: int = 0

    def note(self, name: str, value: Attribute) -> None:
        self.attributes[name] = value

    @contextlib.contextmanager
    def current(self) -> Iterator[None]:
        self.entered += 1
        yield

    def end(self, error: str | None = None) -> None:
        self.ended.append(error)


class Tracer:
    """Begins spans, and keeps them."""

    def __init__(self, said: str | None = None, database: str = "") -> None:
        self.spans: list[Taken] = []
        self.tracing = Tracing(self, lambda owner: said, database)

    def begin(
        self,
        name: str,
        kind: Kind,
        attributes: Mapping[str, Attribute],
        links: Sequence[RemoteSpan | Span],
    ) -> Taken:
        self.spans.append(Taken(name, kind, dict(attributes), links))
        return self.spans[-1]

    @property
    def only(self) -> Taken:
        (span,) = self.spans
        return span


NOBODY: Hashable = None
