"""`rule` and `rules`: what a rule's options say, folded."""

import sys
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.duration_pb2 import Duration
from google.protobuf.wrappers_pb2 import UInt64Value

from rhtmx_codegen.cel import Known, NotInSubset, compile_rule, option
from rhtmx_codegen.cel.types import UINT, list_of
from rhtmx_codegen.model import Field, Kind, Type
from tests.support.process import run
from tests.unit.rhtmx_codegen.cel.schemas import SCHEMA, field

PROTOS = Path(__file__).parents[4] / "rhtmx_codegen" / "proto"


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> descriptor_pool.DescriptorPool:
    files = tmp_path_factory.mktemp("files") / "validate.binpb"
    arguments = (f"-I{PROTOS}", "--include_imports", f"--descriptor_set_out={files}")
    run(sys.executable, "-m", "grpc_tools.protoc", *arguments, "buf/validate/validate.proto")
    found = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(files.read_bytes()).file:
        found.AddSerializedFile(file.SerializeToString())
    return found


def rules_of(pool: descriptor_pool.DescriptorPool, name: str) -> Any:
    """A message of options."""
    found = pool.FindMessageTypeByName(f"buf.validate.{name}")
    return message_factory.GetMessageClass(found)()


def test_options_are_constants(pool: descriptor_pool.DescriptorPool) -> None:
    rules = rules_of(pool, "Int32Rules")
    rules.gt = 3
    rules.not_in.extend([5, 6])
    text = "!has(rules.lt) && this <= rules.gt ? 'must be above %s'.format([rules.gt]) : ''"
    found = compile_rule(text, Type(Kind.INT32), SCHEMA, rules=rules)
    assert found.python() == '"must be above 3" if this <= 3 else ""'
    assert compile_rule("has(rules.lt)", Type(Kind.INT32), SCHEMA, rules=rules).python() == "False"
    found = compile_rule("this in rules.not_in", Type(Kind.INT32), SCHEMA, rules=rules)
    assert found.typescript() == "[5, 6].includes(self)"
    found = compile_rule("getField(rules, 'in').size() == 0", Type(Kind.INT32), SCHEMA, rules=rules)
    assert found.python() == "True"


def test_the_option_itself_is_a_constant(pool: descriptor_pool.DescriptorPool) -> None:
    rules = rules_of(pool, "DurationRules")
    rules.lt.seconds = 2
    given = option(rules, rules.DESCRIPTOR.fields_by_name["lt"])
    found = compile_rule("this < rule", Type(Kind.DURATION), SCHEMA, rule=given, rules=rules)
    assert found.typescript() == "self < 2000000000n"
    unsigned = rules_of(pool, "UInt64Rules")
    unsigned.lt = 7
    given = option(unsigned, unsigned.DESCRIPTOR.fields_by_name["lt"])
    found = compile_rule("this % rule == 0u", Type(Kind.UINT64), SCHEMA, rule=given)
    assert found.python() == "this % 7 == 0"


@pytest.mark.parametrize(
    ("rule", "text", "kind", "python"),
    [
        (True, "!rule || this", Kind.BOOL, "this"),
        (3, "this >= -rule && this <= rule", Kind.INT32, "this >= -3 and this <= 3"),
        (0.5, "this < rule", Kind.FLOAT, "this < 0.5"),
        ("a", "this != rule", Kind.STRING, 'this != "a"'),
        (b"a", "this != rule", Kind.BYTES, "this != b'a'"),
        (
            [1, 2],
            "this in rule || this in rule.map(n, -n)",
            Kind.INT32,
            "this in [1, 2] or this in [-1, -2]",
        ),
        (Known(list_of(UINT), [1]), "this in rule", Kind.UINT32, "this in [1]"),
        (Duration(seconds=1), "this > rule", Kind.DURATION, "this > 1000000000"),
        ([], "this in rule", Kind.INT32, "False"),
        ([UInt64Value(value=3)], "this in rule", Kind.UINT64, "this in [3]"),
    ],
)
def test_plain_values_are_taken_too(rule: object, text: str, kind: Kind, python: str) -> None:
    assert compile_rule(text, Type(kind), SCHEMA, rule=rule).python() == python


def test_an_option_that_is_none_is_refused(pool: descriptor_pool.DescriptorPool) -> None:
    rules = rules_of(pool, "Int32Rules")
    with pytest.raises(NotInSubset, match="Int32Rules has no field zip"):
        compile_rule("rules.zip == 1", Type(Kind.INT32), SCHEMA, rules=rules)
    with pytest.raises(NotInSubset, match="cannot be object"):
        compile_rule("rule == 1", Type(Kind.INT32), SCHEMA, rule=object())


def this_of(name: str) -> Field:
    """A field that rules of a name are for."""
    if name == "repeated":
        return field("x", Kind.STRING, repeated=True)
    if name == "map":
        return field("x", Kind.STRING, map_key=Kind.STRING)
    return field("x", Kind(name))


def set_to_something(rules: Any, given: Any) -> None:
    """Set an option, whatever its type."""
    kinds: dict[int, Any] = {1: 1.5, 2: 1.5, 8: True, 9: "^a$", 12: b"a", 14: 1}
    part = getattr(rules, given.name)
    if given.is_repeated:
        if given.message_type:
            part.add()
        else:
            part.append(kinds.get(given.type, 3))
    elif given.message_type:
        part.SetInParent()
    else:
        setattr(rules, given.name, "^a$" if isinstance(part, str) else kinds.get(given.type, 3))


def test_every_rule_that_validate_proto_has_in_cel_compiles(
    pool: descriptor_pool.DescriptorPool,
) -> None:
    # The class of options of the same pool knows the extension `predefined`.
    options = message_factory.GetMessageClass(
        pool.FindMessageTypeByName("google.protobuf.FieldOptions")
    )
    predefined: Any = pool.FindExtensionByName("buf.validate.predefined")
    kinds: Any = pool.FindMessageTypeByName("buf.validate.FieldRules").oneofs_by_name["type"]
    count = 0
    for kind in kinds.fields:
        for given in kind.message_type.fields:
            asked = options.FromString(given.GetOptions().SerializeToString())
            rules = message_factory.GetMessageClass(kind.message_type)()
            set_to_something(rules, given)
            for each in asked.Extensions[predefined].cel:
                compile_rule(
                    each.expression,
                    this_of(kind.name),
                    SCHEMA,
                    rule=option(rules, given),
                    rules=rules,
                )
                count += 1
    assert count == 318
