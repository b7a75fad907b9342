#!/usr/bin/env bash
# @bufbuild/protobuf 2.17.0: the JSON form of a Timestamp may name a day that is not in the calendar.
# `2026-02-30T00:00:00Z` is read as 2 March, and written back as that; the Python library refuses it.
# So a record that passes through one and the other has another date, or is refused by only one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check protobuf==7.36.2
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @bufbuild/protobuf@2.17.0
cat >read.mjs <<'EOF'
import assert from "node:assert";
import { fromJson, toJson } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";

const given = ["2026-02-30T00:00:00Z", "2026-04-31T12:00:00Z", "2026-02-28T24:00:00Z"];
const read = given.map((text) => toJson(TimestampSchema, fromJson(TimestampSchema, text)));
for (const [at, text] of given.entries()) console.log("protobuf-es", text, "is read as", read[at]);
assert.deepEqual(read, ["2026-03-02T00:00:00Z", "2026-05-01T12:00:00Z", "2026-03-01T00:00:00Z"]);
assert.throws(() => fromJson(TimestampSchema, "2026-02-32T00:00:00Z"));
EOF
node read.mjs
"$folder/venv/bin/python" - <<'EOF'
from google.protobuf.timestamp_pb2 import Timestamp

for text in ("2026-02-30T00:00:00Z", "2026-04-31T12:00:00Z", "2026-02-28T24:00:00Z"):
    try:
        Timestamp().FromJsonString(text)
    except ValueError as error:
        print("protobuf (Python)", text, "is refused:", error)
    else:
        raise AssertionError(text)
EOF
