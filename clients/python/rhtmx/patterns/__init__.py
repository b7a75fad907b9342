"""Patterns as RE2 has them, judged the same in every language, and in linear time.

Which imports which: `pattern` (compiles) -> `parser` -> `brackets`, `escapes` -> `scanner`,
`properties`, `folding`; then `numbering` -> `minimal`, `subsets` -> `automaton`, `alphabet`; then
`table` (as one text). `matching` reads such a text: it is all that a program needs whose patterns
are compiled already, so nothing is imported here.
"""
