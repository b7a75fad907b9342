#!/usr/bin/env bash
# protobuf 7.36.2 (Python, upb): the options of a descriptor from a DescriptorPool of one's own are
# given as a message of the process's default pool. Extensions that only the own pool knows (custom
# options, as compilers of a schema read them) are not readable there, and stay without an error
# among the fields that nobody knows. Parsed with the pool's own class, they are there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check protobuf==7.36.2
cd "$folder"
:
"$folder/venv/bin/python" - <<'EOF'
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal import api_implementation

assert api_implementation.Type() == "upb"
file = descriptor_pb2.FileDescriptorProto(
    name="a.proto", package="a", syntax="proto3", dependency=["google/protobuf/descriptor.proto"]
)
file.extension.add(
    name="label", number=50000, type=9, label=1, extendee=".google.protobuf.FieldOptions"
)
field = file.message_type.add(name="Note").field.add(name="text", number=1, type=9, label=1)
field.options.MergeFromString(b"\x82\xb5\x18\x04Text")  # (a.label) = "Text"

pool = descriptor_pool.DescriptorPool()
pool.AddSerializedFile(descriptor_pb2.DESCRIPTOR.serialized_pb)
pool.AddSerializedFile(file.SerializeToString())
options = pool.FindMessageTypeByName("a.Note").fields_by_name["text"].GetOptions()
label = pool.FindExtensionByName("a.label")
try:
    options.HasExtension(label)
except KeyError as error:
    readable = False
    print("GetOptions() of the pool's field: not readable,", str(error)[:60])
else:
    readable = True

own = message_factory.GetMessageClass(pool.FindMessageTypeByName("google.protobuf.FieldOptions"))
again = own.FromString(options.SerializeToString())
print("the same bytes by the pool's own class:", again.Extensions[label])
print("fields listed by GetOptions():", [each.name for each, _ in options.ListFields()])
assert not readable
assert options.ListFields() == []
assert again.Extensions[label] == "Text"
EOF
