#!/usr/bin/env bash
# buf 1.75.0 compiles a message in which the `json_name` of one field is the name of another one; the
# Python library protobuf 7.36.2 (upb) does not open the descriptor set that comes of it, and says no
# place in a file. So `buf build` and `buf lint` pass, and the first program that loads the schema fails.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check buf-bin==1.75.0 protobuf==7.36.2
cd "$folder"
cat >note.proto <<'EOF'
syntax = "proto3";
package note.v1;
message Note {
  string first_name = 1;
  string title = 2 [json_name = "first_name"];
}
EOF
"$folder/venv/bin/buf" build --as-file-descriptor-set --output set.binpb
echo "buf: compiled"
"$folder/venv/bin/python" - <<'EOF'
from google.protobuf import descriptor_pb2, descriptor_pool

(file,) = descriptor_pb2.FileDescriptorSet.FromString(open("set.binpb", "rb").read()).file
pool = descriptor_pool.DescriptorPool()
try:
    pool.AddSerializedFile(file.SerializeToString())
    pool.FindMessageTypeByName("note.v1.Note")
except (TypeError, KeyError) as error:
    print("protobuf:", " ".join(str(error).split())[:160])
else:
    raise AssertionError("opened")
EOF
