"""How the log looks: one record a line, as text or JSON.

Knows formatting, and what must not get into a log: control characters that
forge lines or colour terminals, and tokens. Must not know what is logged.

Payloads stay out because nobody logs them; the one library that would, at its
debug level, is kept above that level here.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Mapping
from typing import TextIO

__all__ = ["JsonFormatter", "TextFormatter", "configure", "escape", "redact"]

_NOT_PRINTED = (
    *range(0x20),
    *range(0x7F, 0xA0),
    *range(0x200B, 0x2010),  # zero width, and marks that turn the direction of text
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
    0xFEFF,
    *range(0xD800, 0xE000),  # lone surrogates, which no file takes
)
_ESCAPES = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _NOT_PRINTED
} | {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}

_TOKEN = re.compile(
    r"""(?ix)
    (?P<name> (?<![a-z0-9]) (?: token | authorization | password | secret )
        ["']? \s* [=:] \s* ["']? (?:bearer\s+|basic\s+)? )
    [^\s"'&;,)}\]]+
    | (?P<scheme> \b bearer \s+ ) [\w.~+/=-]+
    | (?P<cookie> \b cookie ["']? \s* [=:] \s* ) [^\r\n]+
    """
)
_LIBRARIES = ("websockets", "rhtmx_server.websockets", "grpclib", "hpack")
"""Loggers of libraries that write frames and headers at debug level, and each
connection or call at info level: they speak one level later than the others."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def escape(text: str) -> str:
    r"""Make control characters visible, so that text cannot pass for another line.

    Example:
        >>> escape("a\nERROR b")
        'a\\nERROR b'
    """
    return text.translate(_ESCAPES)


def redact(text: str) -> str:
    """Take out whatever looks like a token or a password.

    Example:
        >>> redact("GET /api/ws?token=s3cr3t&client_id=a")
        'GET /api/ws?token=***&client_id=a'
    """
    return _TOKEN.sub(lambda found: f"{found[found.lastgroup or 0]}***", text)


def _clean(text: str) -> str:
    # Redacted first: what is escaped would hide the end of a token from the pattern.
    return escape(redact(text))


class TextFormatter(logging.Formatter):
    """One line a record, for people; the lines of a traceback are indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        head = f"{_time(record)} {record.levelname.lower():7} {record.name}: "
        lines = [head + _clean(record.getMessage())]
        lines += [f"    {_clean(line)}" for line in _traceback(self, record)]
        return "\n".join(lines)


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for programs.

    Keys: `time` (RFC 3339, UTC), `level`, `logger`, `message`, `traceback` if
    there is one, and whatever was passed as `extra`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        entry: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if traceback := _traceback(self, record):
            entry["traceback"] = redact("\n".join(traceback))
        for name, value in vars(record).items():
            # What was passed as `extra` may not take the place of a key that readers rely on.
            if name not in _STANDARD and name not in entry:
                entry[name] = redact(value) if isinstance(value, str) else value
        return json.dumps(entry, default=lambda value: redact(str(value)))


FORMATTERS: Mapping[str, type[logging.Formatter]] = {"text": TextFormatter, "json": JsonFormatter}


def configure(log_format: str, log_level: str, stream: TextIO) -> None:
    """Send the log of the whole process to a stream. For a program's start only.

    Args:
        log_format: `text` or `json`.
        log_level: `debug`, `info`, `warning` or `error`.
        stream: where to; standard output belongs to the `ready` line.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(FORMATTERS[log_format]())
    level = logging.getLevelNamesMapping()[log_level.upper()]
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Their debug level holds whole frames, and so what users entered.
    quiet = logging.INFO if level == logging.DEBUG else max(level, logging.WARNING)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(quiet)


def _time(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03d}Z"


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    lines: list[str] = []
    if record.exc_info and record.exc_info[0] is not None:
        lines += formatter.formatException(record.exc_info).splitlines()
    if record.stack_info:
        lines += formatter.formatStack(record.stack_info).splitlines()
    return lines
