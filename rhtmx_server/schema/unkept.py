"""What a schema may say, and this server does not do yet: it is refused, never skipped in silence.

Knows the words of a schema. Must not know how the rest of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rhtmx.schema.declared import Schema, Shape

__all__ = ["require_kept"]


def require_kept(schema: Schema) -> None:
    """Refuse a schema that promises what nobody would keep.

    Args:
        schema: as `rhtmx codegen` has generated it.

    Raises:
        ValueError: what is not kept, in words that say what to do.
    """
    for kind, shapes in (("entity", schema.entities), ("form", schema.forms)):
        for name, shape in shapes.items():
            for words in _not_kept(shape):
                raise ValueError(f"{kind} {name!r}: {words}")


def _not_kept(shape: Shape[Any]) -> Iterator[str]:
    for each in shape.rules.fields:
        if each.deliverable:
            yield (
                f"field {each.name} is deliverable, which this version does not judge: leave it "
                "out, and judge it in a validator or a check"
            )
    if shape.rules.server_rules:
        yield (
            f"nobody judges the server_only_rules {', '.join(shape.rules.server_rules)} in this "
            "version: write them in the subset of CEL that is compiled, or as a check"
        )
