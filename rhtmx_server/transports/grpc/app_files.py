"""The files of the application's schema, for reflection.

Knows descriptors. Must not know who asks for them.
"""

from __future__ import annotations

from functools import cached_property

from google.protobuf import message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

from rhtmx_server.schema.seen import SeenSchema

__all__ = ["AppFiles", "extension_numbers"]


class AppFiles:
    """The files, in a pool of their own: they may have the names of others.

    Args:
        seen: what others can read of the schema.
    """

    def __init__(self, seen: SeenSchema) -> None:
        self._seen = seen

    @property
    def there(self) -> bool:
        """Whether the application has a schema."""
        return self._seen.there

    @cached_property
    def pool(self) -> DescriptorPool:
        """The pool, with the files and all that they import; made when it is asked for."""
        pool = DescriptorPool()
        files = FileDescriptorSet.FromString(self._seen.descriptors).file
        for file in files:
            pool.AddSerializedFile(file.SerializeToString())
        # Python's own implementation knows an extension once its file has classes.
        message_factory.GetMessageClassesForFiles([file.name for file in files], pool)
        return pool


def extension_numbers(pool: DescriptorPool, full_name: str) -> list[int]:
    """The numbers of the extensions of a message.

    Args:
        pool: that has them.
        full_name: of the message.

    Raises:
        KeyError: there is no such message.
    """
    message = pool.FindMessageTypeByName(full_name)
    return sorted(each.number for each in pool.FindAllExtensions(message))
