"""A descriptor set, opened so that every option in it can be read.

Knows how protobuf carries options and extensions. Must not know what an option means, nor the
schema's own shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, unknown_fields

__all__ = ["Pool", "bare_set", "plain_files", "set_of", "unread"]

_DESCRIPTOR = "google/protobuf/descriptor.proto"
_OURS = (range(1159, 1161), range(50201, 50300))
"""Numbers of the options that must not go unread: those of `buf.validate`, and our own."""


class Pool:
    """All files of a descriptor set, in a pool of their own.

    The process's own pool is left alone: it may hold another edition of `validate.proto`, and it
    does not know the predefined rules that an application has declared.

    Args:
        descriptor_set: a serialised `FileDescriptorSet` with all imports.

    Attributes:
        files: the files by name, as messages of the pool's own classes; each comes after those
            that it imports.

    Raises:
        ValueError: it is no descriptor set, or lacks an import.
    """

    def __init__(self, descriptor_set: bytes) -> None:
        self._pool = descriptor_pool.DescriptorPool()
        plain = _in_order(plain_files(descriptor_set))
        if _DESCRIPTOR not in {file.name for file in plain}:
            self._pool.AddSerializedFile(descriptor_pb2.DESCRIPTOR.serialized_pb)
        for file in plain:
            if not file.name.isascii():
                raise ValueError(f"{file.name}: protobuf finds no file whose name is not in ASCII")
            try:
                self._pool.AddSerializedFile(file.SerializeToString())
            except TypeError as error:
                raise ValueError(f"{file.name}: {error}") from None
        # Python's own implementation knows an extension once its file has classes.
        names = [_DESCRIPTOR, *(file.name for file in plain)]
        message_factory.GetMessageClassesForFiles(names, self._pool)
        file_class: Any = self._class_of("google.protobuf.FileDescriptorProto")
        self.files: dict[str, Any] = {
            each.name: file_class.FromString(each.SerializeToString()) for each in plain
        }

    def _class_of(self, name: str) -> Any:
        return message_factory.GetMessageClass(self._pool.FindMessageTypeByName(name))

    def message(self, name: str) -> Any:
        """The descriptor of a message, by its full name; `KeyError` if there is none."""
        return self._pool.FindMessageTypeByName(name)

    def enum(self, name: str) -> Any:
        """The descriptor of an enum, by its full name; `KeyError` if there is none."""
        return self._pool.FindEnumTypeByName(name)

    def option(self, node: Any, name: str) -> Any:
        """The value of an option of a field, a message or another part of a file.

        Args:
            node: the part, out of `files`.
            name: the full name of the option, `buf.validate.field`.

        Returns:
            Its value, or `None`: it is not set, or no file of the set declares it.
        """
        try:
            extension = self._pool.FindExtensionByName(name)
        except KeyError:
            return None
        return node.options.Extensions[extension] if node.options.HasExtension(extension) else None


def unread(options: Any) -> Iterator[str]:
    """What a set of options says that nobody can read, since its declaration is not in the pool.

    An option of somebody else's that is unknown as a whole is left alone.

    Args:
        options: of a part of a file.

    Yields:
        The number of each, with the message that it is in.
    """
    for number in _unknown(options):
        if any(number in numbers for numbers in _OURS):
            yield f"{number} of {options.DESCRIPTOR.full_name}"
    for _, value in options.ListFields():
        yield from _inside(value)


def _inside(value: Any) -> Iterator[str]:
    """All that is unknown in a value of an option, however deep."""
    if hasattr(value, "ListFields"):
        for number in _unknown(value):
            yield f"{number} of {value.DESCRIPTOR.full_name}"
        for _, inner in value.ListFields():
            yield from _inside(inner)
    elif hasattr(value, "values"):
        for inner in value.values():
            yield from _inside(inner)
    elif not isinstance(value, str | bytes) and hasattr(value, "__iter__"):
        for inner in value:
            yield from _inside(inner)


def _unknown(message: Any) -> list[int]:
    """The numbers of the fields of a message that nobody has declared."""
    found: Any = unknown_fields.UnknownFieldSet(message)
    return [each.field_number for each in found]


def bare_set(descriptor_set: bytes, files: Iterable[str]) -> bytes:
    """The files, and what they import, without source information.

    Whoever compiled them, in whichever order, it is the same bytes.

    Args:
        descriptor_set: a serialised `FileDescriptorSet`.
        files: the names of those that are wanted.

    Raises:
        ValueError: it is no descriptor set, or lacks one of the files.
    """
    found = {file.name: file for file in plain_files(descriptor_set)}
    wanted: set[str] = set()
    ahead = list(files)
    while ahead:
        name = ahead.pop()
        if name in wanted:
            continue
        if name not in found:
            raise ValueError(f"the descriptor set lacks {name}: build it with imports")
        wanted.add(name)
        ahead += _imports(found[name])
    kept = list(_in_order(found[name] for name in wanted))
    for file in kept:
        file.ClearField("source_code_info")
    return set_of(file.SerializeToString(deterministic=True) for file in kept)


def set_of(files: Iterable[bytes]) -> bytes:
    """A serialised `FileDescriptorSet` of serialised files, in their order.

    Args:
        files: they; their options stay as they are written.
    """
    result = _plain_class()()
    for file in files:
        result.file.add().ParseFromString(file)
    written: bytes = result.SerializeToString(deterministic=True)
    return written


@cache
def _plain_class() -> Any:
    """A class of descriptor sets to which no option means anything: it writes them as they came.

    The library's own class knows the options that any module of the process has brought along, and
    writes those in another order.
    """
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(descriptor_pb2.DESCRIPTOR.serialized_pb)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("google.protobuf.FileDescriptorSet")
    )


def plain_files(descriptor_set: bytes) -> list[Any]:
    """The files of a descriptor set, whose options nobody can read.

    Raises:
        ValueError: it is none.
    """
    try:
        return list(_plain_class().FromString(descriptor_set).file)
    except Exception as error:  # the library's own class of errors is another one in each edition
        raise ValueError(f"that is no descriptor set: {error}") from None


def _imports(file: Any) -> list[str]:
    return [*file.dependency, *getattr(file, "option_dependency", ())]


def _in_order(files: Iterable[Any]) -> list[Any]:
    """Sort by name, but each after those that it imports."""
    found = {file.name: file for file in files}
    done: dict[str, Any] = {}

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in done or name not in found or name in above:
            return
        for each in sorted(_imports(found[name])):
            visit(each, (*above, name))
        done[name] = found[name]

    for name in sorted(found):
        visit(name, ())
    return list(done.values())
