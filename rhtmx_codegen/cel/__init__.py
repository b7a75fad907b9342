"""The subset of CEL that is compiled to Python and TypeScript.

Which imports which: `compile` -> `parser` -> `tokens`, `literals`, `syntax`; `compile` ->
`check` -> `calls`, `macros`, `fields`, `comparing`, `numbers`, `formatting`, `times`, `values` ->
`build` -> `tree`, `loops` -> `constants`, `pieces`, `types`. All of them know `refusal`.
"""

from __future__ import annotations

from rhtmx_codegen.cel.compile import Expression, compile_rule
from rhtmx_codegen.cel.refusal import NotInSubset
from rhtmx_codegen.cel.values import NOTHING, Known, option

__all__ = ["NOTHING", "Expression", "Known", "NotInSubset", "compile_rule", "option"]
