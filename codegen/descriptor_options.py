"""Makes the schema's own options readable.

Knows how protobuf carries options. Must not know what they mean.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

__all__ = ["OPTIONS_FILE", "PACKAGE", "OptionReader", "plain_descriptor_set"]

PACKAGE = "rhtmx.v1"
OPTIONS_FILE = "rhtmx/v1/options.proto"


def plain_descriptor_set() -> Any:
    """Return a class of descriptor sets to which the schema's own options mean nothing.

    It writes them back as they came. The library's own class knows every option
    that some module of the process has brought along, and writes those in
    another order.
    """
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(descriptor_pb2.DESCRIPTOR.serialized_pb)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("google.protobuf.FileDescriptorSet")
    )


class OptionReader:
    """The descriptor set, parsed so that the schema's own options are readable."""

    def __init__(self, descriptor_set: bytes) -> None:
        pool = descriptor_pool.DescriptorPool()
        wanted = ("google/protobuf/descriptor.proto", OPTIONS_FILE)
        found = {
            file.name: file
            for file in descriptor_pb2.FileDescriptorSet.FromString(descriptor_set).file
        }
        for name in wanted:
            if name not in found:
                raise ValueError(f"the descriptor set lacks {name}: build it with imports")
            pool.Add(found[name])
        parse = message_factory.GetMessageClass(
            pool.FindMessageTypeByName("google.protobuf.FileDescriptorSet")
        )
        for name in ("FieldOptions", "EnumValueOptions"):
            message_factory.GetMessageClass(pool.FindMessageTypeByName(f"google.protobuf.{name}"))
        self._pool = pool
        parsed: Any = parse.FromString(descriptor_set)
        self.files: list[Any] = list(parsed.file)

    def get(self, node: Any, name: str) -> Any:
        """Return the value of option `name` on a field or enum value, or its default."""
        return node.options.Extensions[self._pool.FindExtensionByName(f"{PACKAGE}.{name}")]

    def has(self, node: Any, name: str) -> bool:
        """Tell whether option `name` is written on a field or enum value."""
        extension = self._pool.FindExtensionByName(f"{PACKAGE}.{name}")
        return bool(node.options.HasExtension(extension))
