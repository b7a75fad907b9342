"""A schema as a document of JSON Schema 2020-12, for programs that know nothing of rhtmx.

Which imports which: `document` -> `messages` -> `fields` -> `values` -> `forms`, `regular`,
`rounded`; `extras` says in `x-rhtmx` what JSON Schema has no words for.
"""

from rhtmx_codegen.json_schema.document import json_schema

__all__ = ["json_schema"]
