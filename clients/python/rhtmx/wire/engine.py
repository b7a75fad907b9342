"""The official protobuf library, with the schema's classes in a pool of its own.

Knows how to get a parser for a message by name. Must not know the messages.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal import api_implementation

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages.descriptor import DESCRIPTOR_SET

__all__ = ["engine_class"]


def _checked_engine() -> None:
    # The pure-Python engine is a hundred times slower and less strict.
    engine = api_implementation.Type()
    if engine != "upb":
        raise RhtmxError(
            ErrorCode.NOT_SUPPORTED,
            f"the protobuf library runs on its {engine!r} engine, but 'upb' is needed: unset "
            "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION, or reinstall the binary package with "
            "pip install --force-reinstall --only-binary protobuf 'protobuf>=7.36'",
        )


def _load() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTOR_SET).file:
        pool.Add(file)
    return pool


_checked_engine()
_POOL = _load()


def engine_class(full_name: str) -> Any:
    """Return the library's class of a message.

    Args:
        full_name: with its package, `rhtmx.v1.Push`.

    Raises:
        KeyError: the schema has no such message.
    """
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(full_name))
