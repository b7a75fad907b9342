#!/usr/bin/env bash
# betterproto2 0.10: a message that was parsed keeps the fields it does not know, and writes them
# again. Its `copy.copy` and `copy.deepcopy` do not have them, and still compare equal to it; a pickled
# one keeps them. Whoever copies a message before passing it on drops what a newer peer has said.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'betterproto2[grpclib]==0.10.0'
cd "$folder"
:
"$folder/venv/bin/python" - <<'EOF'
import copy
import pickle
from dataclasses import dataclass

import betterproto2


@dataclass(eq=False, repr=False)
class Note(betterproto2.Message):
    text: str = betterproto2.field(1, betterproto2.TYPE_STRING)


sent = b"\x0a\x01a" + b"\x12\x05later"  # field 1, and a field 2 that this program does not know
note = Note.parse(sent)
copies = {
    "the message": note,
    "copy.copy": copy.copy(note),
    "copy.deepcopy": copy.deepcopy(note),
    "pickle": pickle.loads(pickle.dumps(note)),
}
seen = {name: (bytes(each) == sent, each == note) for name, each in copies.items()}
for name, (kept, equal) in seen.items():
    print(f"{name:14} keeps the unknown field: {kept!s:5}  equal: {equal}")
assert seen == {
    "the message": (True, True),
    "copy.copy": (False, True),
    "copy.deepcopy": (False, True),
    "pickle": (True, True),
}
EOF
