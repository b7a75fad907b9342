"""Facts about `rhtmx_codegen.json_schema`: what is said of a schema, and that the judge agrees."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from rhtmx_codegen.json_schema import json_schema
from tests.support.judged import judged_schema
from tests.support.sample_schema import loaded, sample
from tests.support.schemas import schema_of
from tests.support.seen import checker, compare, seen_schema

SEEN: dict[str, Any] = json_schema(seen_schema())


def of(path: str) -> Any:
    name, _, key = path.partition(".")
    definition = SEEN["$defs"][name]
    return definition["properties"][key] if key else definition


@pytest.mark.parametrize("schema", [sample(), seen_schema(), judged_schema()])
def test_it_is_json_schema_of_2020_and_of_draft_7(schema: Any) -> None:
    document = json_schema(schema)
    jsonschema.Draft202012Validator.check_schema(document)
    jsonschema.Draft7Validator.check_schema({"definitions": document["$defs"]})
    assert document == json.loads(json.dumps(document))


@pytest.mark.parametrize("schema", [seen_schema(), judged_schema()])
def test_it_takes_and_refuses_what_the_judge_does(schema: Any) -> None:
    compared = compare(schema, seed=11, values=60)
    assert compared.wrong == []
    assert compared.good > 1000
    assert compared.bad > 1000


def test_nothing_is_seen_beside_a_reference() -> None:
    def links(schema: Any) -> list[Any]:
        if isinstance(schema, dict):
            own = [schema] if "$ref" in schema else []
            return own + [link for each in schema.values() for link in links(each)]
        return [link for each in schema for link in links(each)] if isinstance(schema, list) else []

    assert [each for each in links(SEEN["$defs"]) if len(each) > 1] == []


def test_entities_and_forms_are_found_by_their_names() -> None:
    said = SEEN["x-rhtmx"]
    assert said["entities"] == {"accounts": {"$ref": "#/$defs/Account"}}
    assert said["forms"] == {"join": {"$ref": "#/$defs/Join"}}
    generated = loaded().schema
    assert json_schema(sample())["x-rhtmx"]["hash"] == generated.hash


def test_what_json_schema_has_no_words_for_is_said_beside() -> None:
    assert of("Account")["x-rhtmx"] == {
        "entity": {
            "name": "accounts",
            "partition": [["who"]],
            "access": [
                {"actions": ["read", "create", "update", "delete"], "who": "owner", "field": "who"},
                {"actions": ["read"], "who": "role", "value": "auditor"},
            ],
        },
        "rules": [{"id": "name_is_not_owner", "message": "must differ", "reads": ["name", "who"]}],
    }
    assert of("Account.name") == {
        "type": ["string", "null"],
        "maxLength": 10,
        "title": "Name",
        "default": "nobody",
        "x-rhtmx": {
            "default": {"value": "nobody"},
            "words": {"string.max_len": "is too long"},
        },
    }
    task = json_schema(sample())["$defs"]["Task"]["properties"]
    assert task["votes"]["x-rhtmx"] == {"kind": "int64", "merge": "counter"}
    assert task["owner"]["readOnly"] is True
    assert task["owner"]["x-rhtmx"] == {"read_only": True, "default": {"source": "subject"}}
    assert task["tally"]["deprecated"] is True
    assert of("Join.email")["x-rhtmx"] == {"async": True}


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("Texts.bounded", {"id": "string.pattern", "value": r"\bab\b"}),
        ("Texts.host", {"id": "string.hostname"}),
        ("Texts.link", {"id": "string.web_url"}),
        ("Texts.in_bytes", {"id": "string.max_bytes", "value": 4}),
        ("Texts.trimmed", {"id": "string.max_len", "value": 2}),
        ("Numbers.far", {"id": "int64.gt", "value": 5}),
        ("Numbers.even", {"id": "even", "message": "must be even"}),
        ("Lists.rounded", {"id": "repeated.unique"}),
        ("Known.due", {"id": "timestamp.gt", "value": "1970-01-01T00:00:10Z"}),
        ("Known.pause", {"id": "duration.lt", "value": "10s"}),
        ("Known.key", {"id": "bytes.max_len", "value": 4}),
    ],
)
def test_a_rule_that_cannot_be_said_exactly_is_listed(path: str, rule: dict[str, Any]) -> None:
    assert of(path)["x-rhtmx"]["rules"] == [rule]


def test_a_bound_of_32_bits_is_said_as_it_is_rounded_and_as_it_was_written() -> None:
    said = of("Numbers.tenth")
    assert said["exclusiveMinimum"] == 0.09999999776482582
    assert [each["id"] for each in said["x-rhtmx"]["rules"]] == ["float.gte"]


def test_formats_only_annotate() -> None:
    formats = {
        "Texts.mail": "email",
        "Texts.id": "uuid",
        "Texts.host": "hostname",
        "Texts.link": "uri",
        "Texts.address": "ipv4",
        "Known.due": "date-time",
    }
    assert {path: of(path)["format"] for path in formats} == formats
    # JSON Schema's own duration is another one.
    assert "format" not in of("Known.pause")


def test_unknown_keys_and_unknown_words_are_taken() -> None:
    takes = checker(SEEN, "Enums")
    assert takes({"needed": "open", "open": "a word of tomorrow", "more": 1})
    assert not takes({"needed": "open", "defined": "a word of tomorrow"})


@pytest.mark.parametrize("word", ["hidden", "Hidden", "HIDDEN", "score"])
def test_nothing_of_the_server_s_own_is_in_it(word: str) -> None:
    assert word not in json.dumps(SEEN)


def test_rules_that_only_the_server_can_judge_are_named() -> None:
    schema = schema_of("""
      message A {
        option (rhtmx.v1.entity) = {server_only_rules: "far"};
        option (buf.validate.message).cel = {
          id: "far" expression: "this.b.getHours() > 1" message: "x"
        };
        string b = 1;
      }
    """)
    definition = json_schema(schema)["$defs"]["A"]
    assert definition["x-rhtmx"]["server_rules"] == ["far"]


def test_a_secret_is_shown_as_a_password() -> None:
    vault = json_schema(judged_schema())["$defs"]["Vault"]["properties"]
    assert vault["pin"]["format"] == "password"
    assert vault["pin"]["x-rhtmx"]["secret"] is True
    assert ("format" in vault["pins"], "format" in vault["label"]) == (False, False)
