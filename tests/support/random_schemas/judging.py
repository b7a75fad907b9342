"""What protovalidate says: `judging.py GOOGLE`, with the folder of the official protobuf library.

Each line is `[descriptor set, cases]`, in base64, of which a case is the name of a message and one
in binary. The answer has, for each, the path, the rule and the words of all that is wrong; or a
text: `error` for a rule that cannot be judged, else what is wrong with the schema.
"""

import base64
import json
import sys
from typing import Any

sys.path.append(sys.argv[1])

import protovalidate  # type: ignore[import-not-found, unused-ignore]
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


def path_of(field: Any) -> str:
    """A path, as we write it."""
    text = ""
    for each in field.elements:
        text += f".{each.field_name}" if text else each.field_name
        if each.subscript is not None:
            key = each.subscript.value
            text += f"[{json.dumps(key, ensure_ascii=False)}]"
    return text


def judged(validator: Any, kind: Any, octets: str) -> Any:
    """What is wrong with a message in binary."""
    try:
        bad = validator.collect_violations(kind.FromString(base64.b64decode(octets)))
    except protovalidate.EvaluationError:
        return "error"
    except protovalidate.CompilationError as error:
        return f"! {error}"
    return [
        [
            path_of(each.proto.field) if each.proto.field else "",
            each.proto.rule_id,
            each.proto.message,
        ]
        for each in bad
    ]


for line in sys.stdin:
    files, cases = json.loads(line)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(base64.b64decode(files)).file:
        pool.AddSerializedFile(file.SerializeToString())
    validator = protovalidate.Validator()  # one that has seen a type knows another of its name
    kinds = {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
        for name in {each for each, _ in cases}
    }
    answers = [judged(validator, kinds[name], octets) for name, octets in cases]
    print(json.dumps(answers), flush=True)  # noqa: T201
