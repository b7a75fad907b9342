"""What a compiled rule of CEL needs at run time, beside Python's own operators.

Generated code calls these. Knows rule values. Must not know messages, fields or rules.
Which imports which: `formats`, `logic`, `numbers`, `texts`, `times` -> `errors`.
"""

from __future__ import annotations

from rhtmx.schema.cel import formats, logic, numbers, texts, times
from rhtmx.schema.cel.errors import CelError
from rhtmx.schema.cel.formats import *  # noqa: F403 (generated code calls all of it)
from rhtmx.schema.cel.logic import *  # noqa: F403 (likewise)
from rhtmx.schema.cel.numbers import *  # noqa: F403 (likewise)
from rhtmx.schema.cel.texts import *  # noqa: F403 (likewise)
from rhtmx.schema.cel.times import *  # noqa: F403 (likewise)

__all__ = ["CelError"]
__all__ += formats.__all__
__all__ += logic.__all__
__all__ += numbers.__all__
__all__ += texts.__all__
__all__ += times.__all__
