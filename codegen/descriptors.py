"""Reads a descriptor set into the plain dataclasses of `model.py`.

Knows protobuf's descriptors and the schema's own options. Must not know what
is emitted, nor touch a file: bytes in, `Schema` out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from codegen.descriptor_files import FileReader
from codegen.descriptor_options import (
    OPTIONS_FILE,
    PACKAGE,
    OptionReader,
    plain_descriptor_set,
)
from codegen.model import Case, Message, Schema

__all__ = ["read_schema"]

ENVELOPE = "Envelope"


def read_schema(descriptor_set: bytes, root: str = "proto") -> Schema:
    """Read a serialised `FileDescriptorSet` with imports and source information.

    Args:
        descriptor_set: what `buf build --as-file-descriptor-set` writes.
        root: the folder of the `.proto` files, put before their names in
            locations.

    Raises:
        ValueError: the set lacks the schema's options or its envelope.
    """
    options = OptionReader(descriptor_set)
    ours = sorted(
        (file for file in options.files if file.package == PACKAGE), key=lambda file: file.name
    )
    readers = [FileReader(file, options, root) for file in ours if file.name != OPTIONS_FILE]
    messages = tuple(message for reader in readers for message in reader.messages())
    envelope = next((message for message in messages if message.name == ENVELOPE), None)
    if envelope is None:
        raise ValueError(f"the schema has no message {PACKAGE}.{ENVELOPE}")
    descriptor, digest = _bare(descriptor_set)
    return Schema(
        package=PACKAGE,
        messages=messages,
        enums=tuple(each for reader in readers for each in reader.enums()),
        cases=tuple(_cases(envelope)),
        services=tuple(each for reader in readers for each in reader.services()),
        descriptor=descriptor,
        hash=digest,
    )


def _cases(envelope: Message) -> Iterator[Case]:
    for field in envelope.fields:
        yield Case(
            name=field.name,
            number=field.number,
            message=field.type_name,
            direction=field.direction,
            ephemeral=field.ephemeral,
            answer=field.answer,
            comment=field.comment,
            location=field.location,
        )


def _bare(descriptor_set: bytes) -> tuple[bytes, str]:
    """Strip source information; hash our own files.

    The files that protobuf supplies stay out of the hash, so that a newer buf
    is not taken for another schema.
    """
    files = plain_descriptor_set().FromString(descriptor_set)
    digest = hashlib.sha256()
    for file in sorted(files.file, key=lambda file: file.name):
        file.ClearField("source_code_info")
        if file.package == PACKAGE:
            digest.update(file.SerializeToString(deterministic=True))
    return files.SerializeToString(deterministic=True), digest.hexdigest()[:16]
