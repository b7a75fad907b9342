"""Patterns as RE2 has them, judged the same in every language, and in linear time.

Which imports which: `pattern` (compiles) -> `parser` -> `brackets`, `escapes` -> `scanner`,
`properties`, `folding`; then `numbering` -> `minimal`, `subsets` -> `automaton`, `alphabet`; then
`table` (as one text). `matching` reads such a text: it is all that a program needs
whose patterns are compiled already.
"""

from rhtmx.patterns.matching import matches
from rhtmx.patterns.pattern import Pattern, compile_pattern
from rhtmx.patterns.problems import NotRegularError, PatternError

__all__ = ["NotRegularError", "Pattern", "PatternError", "compile_pattern", "matches"]
