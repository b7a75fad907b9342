"""Facts about what a schema may not say: each refusal, with its line."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from rhtmx_codegen.problems import SchemaError
from rhtmx_codegen.read import read_with_problems
from rhtmx_codegen.sources import OWN
from tests.support.schemas import HEAD, descriptors


class Case(NamedTuple):
    """A schema, whose line with `// here` is refused, and words of the refusal."""

    text: str
    words: str
    head: str = HEAD


def entity(options: str, fields: str = "string team = 1; int32 votes = 2;") -> str:
    return f"message Task {{ // here\n  option (rhtmx.v1.entity) = {{{options}}};\n  {fields}\n}}"


def field(line: str, more: str = "") -> str:
    return f"message Task {{\n  option (rhtmx.v1.entity) = {{}};\n  {line} // here\n  {more}\n}}"


def plain(line: str) -> str:
    return f"message Task {{\n  {line} // here\n}}"


def form(line: str) -> str:
    return f"message Task {{\n  option (rhtmx.v1.form) = {{}};\n  {line} // here\n}}"


EDITION = HEAD.replace('syntax = "proto3"', 'edition = "2023"')
PROTO2 = HEAD.replace('syntax = "proto3";', 'syntax = "proto2"; // here')
ANY, READ = "anyone: true", "actions: ACTION_READ"

CASES = {
    # What JSON, or an open world, has no way to say.
    "proto2": Case("message A { required string b = 1; }", "is written in proto2", PROTO2),
    "required": Case(
        plain("string b = 1 [features.field_presence = LEGACY_REQUIRED];"),
        "write [(buf.validate.field).required = true]",
        EDITION,
    ),
    "group": Case(
        plain("A b = 1 [features.message_encoding = DELIMITED];") + "message A {}",
        "is a group",
        EDITION,
    ),
    "default of protobuf": Case(
        plain('string b = 1 [default = "x"];'), "write [(rhtmx.v1.field).default", EDITION
    ),
    "extension ranges": Case(plain("extensions 100 to 200;"), "has extensions", EDITION),
    "closed enum": Case(
        "enum A { // here\n option features.enum_type = CLOSED; A_B = 0; }", "is closed", EDITION
    ),
    "null": Case(
        plain("google.protobuf.NullValue b = 1;"),
        "is always null",
        HEAD + 'import "google/protobuf/struct.proto";',
    ),
    # Names.
    "a key of JavaScript's": Case(
        plain('string a = 1 [json_name = "__proto__"];'), "no record can have the key '__proto__'"
    ),
    "a key of no bytes": Case(plain(f'string a = 1 [json_name = "{"a" * 256}"];'), "1 to 255"),
    "extra": Case(plain("string extra = 1;"), "the name is taken, `extra` keeps the keys"),
    "private": Case(plain("string _a = 1;"), "it would be private in Python"),
    "a word twice": Case(
        'enum A { A_B = 0; A_C = 1; A_D = 2 [(rhtmx.v1.word) = "c"]; // here\n}',
        "values A_C and A_D of A are one word in JSON, 'c'",
    ),
    "a word that is a number": Case(
        'enum A { A_B = 0; A_C = 1 [(rhtmx.v1.word) = "-1"]; // here\n}', "taken for a number"
    ),
    "an empty word": Case('enum A { A_B = 0 [(rhtmx.v1.word) = ""]; // here\n}', "1 to 255 bytes"),
    "a type twice": Case(
        "message TaskStep {}\nmessage Task {\n  message Step {} // here\n}",
        "have one name in the code that is generated, TaskStep",
    ),
    **{
        f"the table of {one} twice": Case(
            f"message {one} {{}}\nmessage {other} {{}} // here", "have one name in the code"
        )
        for one, other in (("SignUp", "Sign_Up"), ("HTTPRoute", "HttpRoute"), ("Task", "TASK"))
    },
    **{
        f"a type called {name}": Case(
            f"{what} // here\n}}", f"no class or type can be called {name}"
        )
        for name, what in (
            ("None", "message None {"),
            ("class", "enum class { A = 0;"),
            ("interface", "message interface {"),
            ("schema", "message schema {"),
        )
    },
    "endless": Case(
        plain("Task again = 1 [(buf.validate.field).required = true];"),
        "leads back to Task: no value could ever be whole",
    ),
    # The schema as a whole.
    "oldest": Case(
        "option (rhtmx.v1.schema) = {version: 2 oldest: 3}; // here", "nobody could write"
    ),
    # Entities.
    "name of the server's": Case(entity('name: "$a"'), "names that begin with '$'"),
    "name of JavaScript's": Case(entity('name: "constructor"'), "no client could read it"),
    "long name": Case(entity(f'name: "{"a" * 256}"'), "1 to 255 bytes"),
    "two entities": Case(
        'message A { option (rhtmx.v1.entity) = {name: "task"}; }\n' + entity(""),
        "app.v1.A has this name, too",
    ),
    "two forms": Case(
        "message A { option (rhtmx.v1.form) = {}; }\n"
        'message B { // here\n option (rhtmx.v1.form) = {name: "a"}; }',
        "form 'a': app.v1.A has this name, too",
    ),
    "entity and form at once": Case(
        "message A { // here\n option (rhtmx.v1.entity) = {}; option (rhtmx.v1.form) = {};\n}",
        "A is an entity and a form: make the form a message of its own",
    ),
    "merge of all": Case(entity("merge: MERGE_COUNTER"), "say merge at those that are"),
    "partition of what is not there": Case(
        entity('partition: {fields: "teem"}'), "partition: there is no field 'teem'"
    ),
    "partition of nothing": Case(entity("partition: {}"), "different names of fields expected"),
    "partition of one twice": Case(
        entity('partition: {fields: ["team", "team"]}'), "different names of fields expected"
    ),
    "partition twice": Case(
        entity('partition: {fields: ["team", "votes"]} partition: {fields: ["votes", "team"]}'),
        "is there twice",
    ),
    "partition of a list": Case(
        entity('partition: {fields: "team"}', "repeated string team = 1;"), "no text, whole number"
    ),
    "partition of a double": Case(
        entity('partition: {fields: "team"}', "double team = 1;"), "no text, whole number"
    ),
    "partition of what never leaves": Case(
        entity('partition: {fields: "a"}', "string a = 1 [(rhtmx.v1.field).server_only = true];"),
        "field 'a' is server_only",
    ),
    "too many partitions": Case(
        entity(
            " ".join(f'partition: {{fields: "a{n}"}}' for n in range(17)),
            " ".join(f"string a{n} = {n + 1};" for n in range(17)),
        ),
        "17 partitions, and 16 is the most",
    ),
    "access for nobody": Case(entity(f"access: {{{READ}}}"), "access: say who"),
    "access that says no": Case(entity("access: {anyone: false}"), "false says nothing"),
    "access to do nothing": Case(
        entity(f"access: {{actions: ACTION_UNSPECIFIED {ANY}}}"), "there is no action 0"
    ),
    "owner that is not there": Case(
        entity('access: {actions: ACTION_DELETE owner: "who"}'), "there is no field 'who'"
    ),
    "owner that is no text": Case(
        entity('access: {actions: ACTION_DELETE owner: "votes"}'), "field 'votes' is no string"
    ),
    "role without a name": Case(entity('access: {role: ""}'), "the name of a role expected"),
    "tenant that is not there": Case(
        entity('access: {actions: ACTION_DELETE tenant: {field: "x"}}'), "there is no field 'x'"
    ),
    "equal to another type": Case(
        entity('access: {actions: ACTION_DELETE equal: {field: "votes" json: "true"}}'),
        "a whole number from -2147483648 to 2147483647 expected, got true",
    ),
    "equal to no JSON": Case(
        entity('access: {actions: ACTION_DELETE equal: {field: "team" json: "red"}}'),
        "'red' is not JSON",
    ),
    "access that no partition can reach": Case(
        entity(f'access: {{{READ} tenant: {{field: "team"}}}} partition: {{fields: "votes"}}'),
        'add partition: {fields: "team"}',
    ),
    "access to everything that no partition can reach": Case(
        entity('access: {owner: "team"}'), 'add partition: {fields: "team"}'
    ),
    # Fields.
    "counter of a text": Case(
        field("string a = 1 [(rhtmx.v1.field).merge = MERGE_COUNTER];"), "MERGE_COUNTER needs"
    ),
    "counter of a list": Case(
        field("repeated int32 a = 1 [(rhtmx.v1.field).merge = MERGE_COUNTER];"),
        "MERGE_COUNTER needs",
    ),
    "counter with decimals that is a number": Case(
        field("int32 a = 1 [(rhtmx.v1.field) = {merge: MERGE_COUNTER scale: 2}];"),
        "MERGE_COUNTER needs",
    ),
    "too many decimals": Case(
        field("string a = 1 [(rhtmx.v1.field) = {merge: MERGE_COUNTER scale: 19}];"),
        "at most 18 decimals",
    ),
    "scale of what is not counted": Case(
        field("string a = 1 [(rhtmx.v1.field).scale = 2];"), "scale is of a counter"
    ),
    "set of one": Case(
        field("string a = 1 [(rhtmx.v1.field).merge = MERGE_SET];"), "MERGE_SET needs a repeated"
    ),
    "set of messages": Case(
        field("repeated A a = 1 [(rhtmx.v1.field).merge = MERGE_SET];", "message A {}"),
        "MERGE_SET needs a repeated",
    ),
    "counter in a oneof": Case(
        field(
            "oneof a { int32 b = 1 [(rhtmx.v1.field).merge = MERGE_COUNTER]; }",
        ),
        "no counter, and no set",
    ),
    "oneof that is merged in two ways": Case(
        field(
            "oneof a { int32 b = 1 [(rhtmx.v1.field).merge = MERGE_KEEP_BOTH]; int32 c = 2; }",
        ),
        "its fields are merged as one",
    ),
    "oneof of which a part never leaves the server": Case(
        field("oneof a { int32 b = 1 [(rhtmx.v1.field).server_only = true]; int32 c = 2; }"),
        "all of them are, or none",
    ),
    **{
        f"record that hides something as {what}": Case(
            field(f"{what} b = 3;", "string a = 1 [(rhtmx.v1.field).server_only = true];"),
            "and its a is server_only: take a message without it",
        )
        for what in ("Task", "repeated Task", "map<string, Task>")
    },
    "merge of what is written as a whole": Case(
        "message A {\n option (rhtmx.v1.entity) = {whole: true};\n"
        " int32 b = 1 [(rhtmx.v1.field).merge = MERGE_COUNTER]; // here\n}",
        "leave merge out",
    ),
    "what only entities have": Case(
        plain("int32 a = 1 [(rhtmx.v1.field).read_only = true];"),
        "read_only means something for the fields of an entity only",
    ),
    "what only forms have": Case(
        field("string a = 1 [(rhtmx.v1.field).async = true];"),
        "async means something for the fields of a form only",
    ),
    "web_url of a number": Case(
        field("int32 a = 1 [(rhtmx.v1.field).web_url = true];"), "web_url needs a string"
    ),
    "normalize of a number": Case(
        field("int32 a = 1 [(rhtmx.v1.field).normalize = NORMALIZE_TRIM];"), "needs a string"
    ),
    "normalize to nothing": Case(
        field("string a = 1 [(rhtmx.v1.field).normalize = NORMALIZE_UNSPECIFIED];"),
        "normalize: there is no 0",
    ),
    # Defaults.
    "default of nobody's": Case(
        plain('int32 a = 1 [(rhtmx.v1.field).default = {json: "1"}];'), "Task is neither"
    ),
    "default of nothing": Case(
        field("int32 a = 1 [(rhtmx.v1.field).default = {}];"), "default: say which"
    ),
    "default of another type": Case(
        field('int32 a = 1 [(rhtmx.v1.field).default = {json: "1.5"}];'),
        "default: a whole number from",
    ),
    "default in a oneof": Case(
        field('oneof b { int32 a = 1 [(rhtmx.v1.field).default = {json: "1"}]; }'),
        "a field of a oneof has no default",
    ),
    "now that is no time": Case(
        field("string a = 1 [(rhtmx.v1.field).default = {now: true}];"),
        "now needs a field of type google.protobuf.Timestamp",
    ),
    "subject that is no text": Case(
        field("int32 a = 1 [(rhtmx.v1.field).default = {subject: true}];"), "type string"
    ),
    "default that says no": Case(
        field("string a = 1 [(rhtmx.v1.field).default = {uuid7: false}];"), "says nothing"
    ),
    "default that a form cannot make": Case(
        form("string a = 1 [(rhtmx.v1.field).default = {uuid7: true}];"), "a form is none"
    ),
}


@pytest.fixture(scope="module")
def compiled() -> bytes:
    """All cases at once, each in a file and a package of its own."""
    return descriptors(
        {
            f"c{number}.proto": f"{case.head}{case.text}\n".replace("app.v1", f"c{number}")
            for number, case in enumerate(CASES.values())
        }
    )


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_with_its_line(name: str, compiled: bytes) -> None:
    number, case = list(CASES).index(name), CASES[name]
    file = f"c{number}.proto"
    lines = f"{case.head}{case.text}".split("\n")
    line = next(index for index, text in enumerate(lines, 1) if "// here" in text)
    _, problems = read_with_problems(compiled, [file])
    words = case.words.replace("app.v1", f"c{number}")
    assert [(each.location.file, each.location.line) for each in problems] == [(file, line)]
    assert words in problems[0].words


GOOD = """\
option (rhtmx.v1.schema) = {version: 2 oldest: 2};
message Task {
  option (rhtmx.v1.entity) = {
    partition: {fields: "team"} partition: {fields: ["team", "state"]} partition: {fields: "owner"}
    access: {actions: ACTION_READ tenant: {field: "team" claim: "teams"}}
    access: {actions: [ACTION_CREATE, ACTION_UPDATE] equal: {field: "state" json: "\\"open\\""}}
    access: {owner: "owner"}
  };
  option (buf.validate.message).cel = {id: "a" expression: "true"};
  option (buf.validate.message).cel_expression = "b > 1";
  string team = 1 [(rhtmx.v1.field).immutable = true, (buf.validate.field).required = true];
  string owner = 2 [(rhtmx.v1.field) = {read_only: true default: {subject: true}}];
  int64 votes = 3 [(rhtmx.v1.field).merge = MERGE_COUNTER];
  string price = 4 [
    (rhtmx.v1.field) = {merge: MERGE_COUNTER scale: 2 default: {json: "\\"0.00\\""}}];
  repeated string labels = 5 [
    (rhtmx.v1.field) = {merge: MERGE_SET default: {json: "[\\"new\\"]"}},
    (buf.validate.field).repeated = {min_items: 1 items: {string: {max_len: 3}}},
    (buf.validate.field).cel = {id: "c" expression: "true"}
  ];
  State state = 6 [(rhtmx.v1.field).default = {json: "\\"open\\""}];
  google.protobuf.Timestamp made = 7 [(rhtmx.v1.field) = {read_only: true default: {now: true}}];
  string id = 8 [(rhtmx.v1.field).default = {uuid7: true}];
  Task parent = 9;
  repeated Task children = 10 [(buf.validate.field).required = true];
  map<string, Task> by_name = 11 [(buf.validate.field).required = true];
  string text = 12 [(rhtmx.v1.field) = {normalize: [NORMALIZE_TRIM, NORMALIZE_NFC] web_url: true}];
  oneof way {
    string one = 13 [(rhtmx.v1.field).merge = MERGE_KEEP_BOTH];
    string other = 14 [(rhtmx.v1.field).merge = MERGE_KEEP_BOTH];
  }
  string class = 15;
  optional int32 small = 16 [json_name = "extra"];
}
enum State { option allow_alias = true; STATE_OPEN = 0; STATE_NEW = 0; }
message Note {
  option (rhtmx.v1.entity) = {};
  oneof hidden {
    string this = 1 [(rhtmx.v1.field).server_only = true];
    Note that = 2 [(rhtmx.v1.field).server_only = true];
  }
}
message SignUp {
  option (rhtmx.v1.form) = {};
  string email = 1 [(rhtmx.v1.field) = {async: true deliverable: true label: "Mail"}];
  int32 age = 2 [(rhtmx.v1.field).default = {json: "18"}];
}
"""


def test_what_makes_sense_is_not_refused() -> None:
    _, problems = read_with_problems(descriptors({"a.proto": HEAD + GOOD}), ["a.proto"])
    assert [str(each) for each in problems] == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            'string a_b = 1; string c = 2 [json_name = "a_b"];',
            "8:25: fields a_b and c of B have one key in JSON, 'a_b': give one of them another "
            "json_name",
        ),
        (
            'string x_y = 1 [json_name = "b_c"]; string b_c = 2 [json_name = "c"];',
            "8:9: field x_y of B has the key 'b_c', which is the name of another field: take "
            "another json_name, or another name for that field",
        ),
    ],
)
def test_a_key_is_there_once(fields: str, words: str) -> None:
    """buf takes these; protobuf's library does not open them, and says no line."""
    text = f"{HEAD}message A {{\n message B {{\n        {fields}\n }}\n}}"
    with pytest.raises(SchemaError) as caught:
        read_with_problems(descriptors({"a.proto": text}), ["a.proto"])
    assert str(caught.value) == f"a.proto:{words}"


def test_a_file_that_protobuf_does_not_find_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"é.proto: protobuf finds no file whose name is not"):
        read_with_problems(descriptors({"é.proto": HEAD}), ["é.proto"])


def test_the_version_is_said_in_one_file() -> None:
    line = "option (rhtmx.v1.schema).version = 2;"
    texts = dict.fromkeys(("a.proto", "b.proto"), f"{HEAD}{line}")
    _, problems = read_with_problems(descriptors(texts), ["a.proto", "b.proto"])
    assert list(map(str, problems)) == [
        "b.proto:6:1: (rhtmx.v1.schema) is said in a.proto, too: say it in one file"
    ]


NEWER = "string = 14;\n    StringRules later = 99;"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "string b = 1 [(buf.validate.field).later.min_len = 1];",
            "field b has the option 99 of buf.validate.FieldRules, which no file",
        ),
        (
            "repeated string b = 1 [(buf.validate.field).repeated.items.later.min_len = 1];",
            "field b has the option 99 of buf.validate.FieldRules, which no file",
        ),
    ],
)
def test_a_rule_of_a_newer_validate_proto_is_never_skipped(line: str, words: str) -> None:
    """As if it was compiled with another `validate.proto` than it is read with."""
    name = "buf/validate/validate.proto"
    newer = (OWN / name).read_text(encoding="utf-8").replace("string = 14;", NEWER)
    text = {"a.proto": f"{HEAD}message A {{\n  {line}\n}}"}
    files = _mixed(descriptors({name: newer, **text}), descriptors({"a.proto": HEAD}), name)
    _, problems = read_with_problems(files, ["a.proto"])
    assert [each.location.line for each in problems] == [7]
    assert words in problems[0].words


def test_rules_whose_declaration_is_not_there_are_never_skipped() -> None:
    text = f"{HEAD}message A {{\n  string b = 1 [(buf.validate.field).string.min_len = 1];\n}}"
    name = "buf/validate/validate.proto"
    bare = 'syntax = "proto3"; package buf.validate; message Nothing {}'
    files = _mixed(descriptors({"a.proto": text}), descriptors({name: bare}), name)
    _, problems = read_with_problems(files, ["a.proto"])
    assert [each.location.line for each in problems] == [7]
    assert "1159 of google.protobuf.FieldOptions" in problems[0].words


def _mixed(files: bytes, other: bytes, name: str) -> bytes:
    """Some files, with one of them out of another set."""
    from google.protobuf import descriptor_pb2

    one = descriptor_pb2.FileDescriptorSet.FromString(files)
    two = descriptor_pb2.FileDescriptorSet.FromString(other)
    kept = [file for file in one.file if file.name != name]
    taken = [file for file in two.file if file.name == name]
    return descriptor_pb2.FileDescriptorSet(file=[*kept, *taken]).SerializeToString()
