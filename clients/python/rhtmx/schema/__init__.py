"""What generated code imports, and what judges records by it.

Which imports which: `containers` -> `judge` -> `message` -> `adapted`, `rules` -> `checks`,
`kinds` -> `times`, `text`, `shown`; `form_checks` -> `formats`; `cel` has what rules in CEL call.
"""

from rhtmx.schema import cel, checks, form_checks
from rhtmx.schema.adapted import normalized, unjudged
from rhtmx.schema.cel import *  # noqa: F403 (generated code calls all of it)
from rhtmx.schema.checks import *  # noqa: F403 (likewise)
from rhtmx.schema.containers import list_of, map_of, message_of
from rhtmx.schema.form_checks import *  # noqa: F403 (likewise)
from rhtmx.schema.judge import judge
from rhtmx.schema.kinds import (
    ANY,
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    FIELD_MASK,
    FIXED32,
    FIXED64,
    FLOAT,
    INT32,
    INT64,
    LIST_VALUE,
    SFIXED32,
    SFIXED64,
    SINT32,
    SINT64,
    STRING,
    STRUCT,
    TIMESTAMP,
    UINT32,
    UINT64,
    VALUE,
    Kind,
    enum,
    text_of,
)
from rhtmx.schema.message import (
    Default,
    Field,
    Message,
    any_of,
    cel_rule,
    field,
    message,
    one_of,
)
from rhtmx.schema.rules import cel_check, rules
from rhtmx.values.json_value import Json

__all__ = [
    "ANY",
    "BOOL",
    "BYTES",
    "DOUBLE",
    "DURATION",
    "FIELD_MASK",
    "FIXED32",
    "FIXED64",
    "FLOAT",
    "INT32",
    "INT64",
    "LIST_VALUE",
    "SFIXED32",
    "SFIXED64",
    "SINT32",
    "SINT64",
    "STRING",
    "STRUCT",
    "TIMESTAMP",
    "UINT32",
    "UINT64",
    "VALUE",
    "Default",
    "Field",
    "Json",
    "Kind",
    "Message",
    "any_of",
    "cel_check",
    "cel_rule",
    "enum",
    "field",
    "judge",
    "list_of",
    "map_of",
    "message",
    "message_of",
    "normalized",
    "one_of",
    "rules",
    "text_of",
    "unjudged",
]
__all__ += cel.__all__
__all__ += checks.__all__
__all__ += form_checks.__all__
