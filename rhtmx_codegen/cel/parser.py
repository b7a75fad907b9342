"""From words to what a rule says: CEL's grammar.

Knows precedence. Must not know types, fields or functions.
"""

from __future__ import annotations

from collections.abc import Callable

from rhtmx_codegen.cel import syntax
from rhtmx_codegen.cel.literals import read_bytes, read_int, read_string, read_uint
from rhtmx_codegen.cel.refusal import NotInSubset
from rhtmx_codegen.cel.syntax import Syntax
from rhtmx_codegen.cel.tokens import Token, read_tokens

__all__ = ["parse"]

_LEVELS = (
    frozenset({"||"}),
    frozenset({"&&"}),
    frozenset({"==", "!=", "<", "<=", ">", ">=", "in"}),
    frozenset({"+", "-"}),
    frozenset({"*", "/", "%"}),
)
_RESERVED = frozenset(
    (
        *("as", "break", "const", "continue", "else", "for", "function", "if", "import", "in"),
        *("let", "loop", "namespace", "package", "return", "var", "void", "while"),
    )
)
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_DEEPEST = 60
_LONGEST = 500  # words that operators of one level join


def parse(text: str) -> Syntax:
    """Return what a rule says.

    Args:
        text: the rule.

    Raises:
        NotInSubset: it is not CEL, or is nested deeper than anybody writes.

    Example:
        >>> parse("1 + 2").sign
        '+'
    """
    return _Parser(read_tokens(text)).rule()


class _Parser:
    """Reads words from left to right.

    Args:
        tokens: the words, with an `end`.
    """

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def rule(self) -> Syntax:
        """Return the whole."""
        found = self._expression()
        if self._next.kind != "end":
            raise self._unexpected()
        return found

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _sees(self, text: str) -> bool:
        return self._next.text == text and self._next.kind in {"sign", "name"}

    def _accept(self, text: str) -> bool:
        if not self._sees(text):
            return False
        self._at += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise self._unexpected(f", where {text!r} should stand")

    def _unexpected(self, words: str = "") -> NotInSubset:
        seen = self._next
        return NotInSubset(f"unexpected {seen.text or 'end of the rule'}{words}", seen.offset)

    def _expression(self) -> Syntax:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NotInSubset("nested too deeply", self._next.offset)
        found = self._binary(0)
        if self._sees("?"):
            at = self._take().offset
            then = self._binary(0)
            self._expect(":")
            found = syntax.Choice(found, then, self._expression(), at)
        self._depth -= 1
        return found

    def _binary(self, level: int) -> Syntax:
        if level == len(_LEVELS):
            return self._unary()
        found, first = self._binary(level + 1), self._at
        while self._next.text in _LEVELS[level] and self._next.kind in {"sign", "name"}:
            sign = self._take()
            if self._at - first > _LONGEST:
                raise NotInSubset("too long: say it in several rules", sign.offset)
            found = syntax.Binary(sign.text, found, self._binary(level + 1), sign.offset)
        return found

    def _unary(self) -> Syntax:
        signs: list[Token] = []
        while self._next.text in {"!", "-"} and self._next.kind == "sign":
            if signs and signs[-1].text != self._next.text:
                raise self._unexpected(": CEL wants parentheses between ! and -")
            signs.append(self._take())
        found = self._signed_number(signs) or self._member()
        if len(signs) % 2:  # CEL lets two signs undo each other, even before the least number
            found = syntax.Unary(signs[0].text, found, signs[0].offset)
        return found

    def _signed_number(self, signs: list[Token]) -> Syntax | None:
        number = self._next
        if [sign.text for sign in signs] != ["-"] or number.kind not in {"int", "double"}:
            return None  # of several signs none is the literal's own
        self._take()
        sign = signs.pop()
        value: int | float = -float(number.text) if number.kind == "double" else 0
        if number.kind == "int":
            value = read_int(number.text, number.offset, negative=True)
        return self._suffixes(syntax.Literal(number.kind, value, sign.offset))

    def _member(self) -> Syntax:
        return self._suffixes(self._primary())

    def _suffixes(self, found: Syntax) -> Syntax:
        while self._next.kind == "sign":
            at = self._next.offset
            if self._accept("."):
                found = self._selected(found, at)
            elif self._accept("["):
                self._no_optional()
                found = syntax.Index(found, self._expression(), at)
                self._expect("]")
            elif self._sees("{") and isinstance(found, syntax.Name | syntax.Select):
                raise NotInSubset("a message cannot be built in a rule", at)
            else:
                break
        return found

    def _selected(self, of: Syntax, at: int) -> Syntax:
        self._no_optional()
        name = self._take()
        if name.kind not in {"name", "quoted"}:
            self._at -= 1
            raise self._unexpected(", where the name of a field should stand")
        if name.kind == "name" and self._accept("("):
            return syntax.Call(of, name.text, self._list(")", self._expression), name.offset)
        return syntax.Select(of, name.text.strip("`"), at)

    def _no_optional(self) -> None:
        if self._sees("?"):
            raise NotInSubset("optional values (.? and [?]) are not compiled", self._next.offset)

    def _list(self, end: str, item: Callable[[], Syntax]) -> tuple[Syntax, ...]:
        items = []
        while not self._accept(end):
            items.append(item())
            if not self._accept(",") and not self._sees(end):
                raise self._unexpected(f", where , or {end} should stand")
            if end == ")" and self._tokens[self._at - 1].text == "," and self._sees(")"):
                raise self._unexpected()
        return tuple(items)

    def _primary(self) -> Syntax:
        token = self._take()
        if token.kind == "name":
            return self._named(token)
        if token.kind == "sign":
            return self._enclosed(token)
        if token.kind in {"end", "quoted"}:
            self._at -= 1
            raise self._unexpected()
        return syntax.Literal(token.kind, _value(token), token.offset)

    def _named(self, token: Token) -> Syntax:
        if token.text in _WORDS:
            value = _WORDS[token.text]
            return syntax.Literal("null" if value is None else "bool", value, token.offset)
        if token.text in _RESERVED:
            raise NotInSubset(f"{token.text} is a reserved word of CEL", token.offset)
        if self._accept("("):
            arguments = self._list(")", self._expression)
            return syntax.Call(None, token.text, arguments, token.offset)
        return syntax.Name(token.text, token.offset)

    def _enclosed(self, token: Token) -> Syntax:
        if token.text == "(":
            found = self._expression()
            self._expect(")")
            return found
        if token.text == "[":
            return syntax.ListOf(self._list("]", self._item), token.offset)
        if token.text == "{":
            pairs: list[tuple[Syntax, Syntax]] = []
            self._list("}", lambda: self._entry(pairs))
            return syntax.MapOf(tuple(pairs), token.offset)
        if token.text == "." and self._next.kind == "name":
            return self._named(self._take())
        self._at -= 1
        raise self._unexpected()

    def _item(self) -> Syntax:
        self._no_optional()
        return self._expression()

    def _entry(self, pairs: list[tuple[Syntax, Syntax]]) -> Syntax:
        key = self._item()
        self._expect(":")
        pairs.append((key, self._expression()))
        return key


def _value(token: Token) -> int | float | str | bytes:
    if token.kind == "int":
        return read_int(token.text, token.offset)
    if token.kind == "uint":
        return read_uint(token.text, token.offset)
    if token.kind == "double":
        return float(token.text)
    if token.kind == "bytes":
        return read_bytes(token.text, token.offset)
    return read_string(token.text, token.offset)
