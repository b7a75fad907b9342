"""From the text of a rule to words.

Knows what a word of CEL looks like. Must not know how words go together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rhtmx_codegen.cel.refusal import NotInSubset

__all__ = ["Token", "read_tokens"]

_COOKED = (
    r'"""(?:\\[\s\S]|[^\\])*?"""|' + r"'''(?:\\[\s\S]|[^\\])*?'''|"
    r'"(?:\\.|[^"\\\n\r])*"|' + r"'(?:\\.|[^'\\\n\r])*'"
)
_RAW = r'"""[\s\S]*?"""|' + r"'''[\s\S]*?'''|" + r'"[^"\n\r]*"|' + r"'[^'\n\r]*'"
_TOKEN = re.compile(
    rf"""(?P<space>(?:[\t \r\n\f]|//[^\n]*)+)
    |(?P<bytes>[bB](?:{_COOKED})|(?:[bB][rR]|[rR][bB])(?:{_RAW}))
    |(?P<string>[rR](?:{_RAW})|(?:{_COOKED}))
    |(?P<double>[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+
        |\.[0-9]+(?:[eE][+-]?[0-9]+)?)
    |(?P<uint>(?:0x[0-9a-fA-F]+|[0-9]+)[uU])
    |(?P<int>0x[0-9a-fA-F]+|[0-9]+)
    |(?P<name>[A-Za-z_][A-Za-z_0-9]*)
    |(?P<quoted>`[A-Za-z0-9_.\-/\ ]+`)
    |(?P<sign>\|\||&&|==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{{}}])""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a rule.

    Attributes:
        kind: `int`, `uint`, `double`, `string`, `bytes`, `name`, `quoted`, `sign` or `end`.
        text: as written.
        offset: where it begins.
    """

    kind: str
    text: str
    offset: int


def read_tokens(text: str) -> list[Token]:
    """Return the words of a rule, and an `end`.

    Args:
        text: the rule.

    Raises:
        NotInSubset: there is something that is no word of CEL.
    """
    tokens, at = [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise NotInSubset(f"cannot read {text[at : at + 12]!r}", at)
        kind = found.lastgroup or ""
        if kind != "space":
            tokens.append(Token(kind, found[0], at))
        at = found.end()
    return [*tokens, Token("end", "", len(text))]
