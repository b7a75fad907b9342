"""The emitters: a schema as the files of a language.

Knows which there are. Must not know what they emit.
"""

from rhtmx_codegen.python import emit_python
from rhtmx_codegen.typescript import emit_typescript

__all__ = ["emit_python", "emit_typescript"]
