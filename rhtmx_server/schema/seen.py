"""What others can read of the application's schema: each document made once, when it is asked for.

Knows which documents there are. Must not know who asks, nor how they are sent.
"""

from __future__ import annotations

import json
from functools import cached_property

from rhtmx.schema.declared import Schema
from rhtmx_server.schema.asyncapi import asyncapi, protocol

__all__ = ["SeenSchema"]


class SeenSchema:
    """The documents about an application's schema, without what must not leave the server.

    Args:
        schema: it; `None` for an application without one.
    """

    def __init__(self, schema: Schema | None) -> None:
        self._schema = schema

    @property
    def there(self) -> bool:
        """Whether the application has a schema."""
        return self._schema is not None

    @cached_property
    def descriptors(self) -> bytes:
        """A serialised `FileDescriptorSet`; empty without a schema."""
        return b"" if self._schema is None else self._schema.served_descriptors

    @cached_property
    def json_schema(self) -> bytes:
        """A document of JSON Schema 2020-12; empty without a schema."""
        # Without the line breaks that are for whoever reads the generated file.
        return b"" if self._schema is None else _compact(json.loads(self._schema.json_schema))

    @cached_property
    def asyncapi(self) -> bytes:
        """A document of AsyncAPI 3.0: the protocol, and the channels of the application."""
        document = protocol()
        if self._schema is not None:
            document = asyncapi(document, json.loads(self._schema.json_schema))
        return _compact(document)


def _compact(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
