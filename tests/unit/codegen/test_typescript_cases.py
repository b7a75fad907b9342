from __future__ import annotations

from codegen.model import Schema
from codegen.typescript_cases import SIDES, known_words, sent_by


def test_every_case_is_sent_by_someone_and_few_by_both(schema: Schema) -> None:
    client, server = ({case.name for case in sent_by(schema, side)} for side in SIDES)
    assert client | server == {case.name for case in schema.cases}
    assert client & server == {"ping", "pong", "room_message"}
    assert "push" in client
    assert "change" in server


def test_what_a_client_says_has_no_new_words_and_neither_has_what_lies_in_it(
    schema: Schema,
) -> None:
    known = known_words(schema)
    assert {"Push", "FieldUpdate", "Position", "Ping"} <= known
    assert not {"Error", "Change", "ChangeLog", "FieldConflict"} & known
