"""Facts about `rhtmx_server.logs`."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest

from rhtmx_server.logs import JsonFormatter, TextFormatter, configure, escape, redact

FORMATTERS = [TextFormatter(), JsonFormatter()]
BOTH = pytest.mark.parametrize("formatter", FORMATTERS, ids=["text", "json"])


def record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("rhtmx_server", logging.WARNING, "f.py", 1, message, args, None)
    made.created, made.msecs = 1_763_900_000.25, 250.0
    vars(made).update(extra)
    return made


def failed(message: str) -> logging.LogRecord:
    made = record("it failed")
    try:
        raise ValueError(message)
    except ValueError:
        made.exc_info = sys.exc_info()
    return made


def test_text_has_time_level_logger_and_message() -> None:
    line = TextFormatter().format(record("port %d", 3000))
    assert line == "2025-11-23T12:13:20.250Z warning rhtmx_server: port 3000"


def test_json_has_the_same_by_name_and_what_was_added() -> None:
    assert json.loads(JsonFormatter().format(record("port %d", 3000, session="s1"))) == {
        "time": "2025-11-23T12:13:20.250Z",
        "level": "warning",
        "logger": "rhtmx_server",
        "message": "port 3000",
        "session": "s1",
    }


@BOTH
@pytest.mark.parametrize("text", ["a\nERROR forged", "a\r\x1b[31mred", "a\u2028b", "a\x85b"])
def test_a_record_is_one_line_whatever_it_holds(formatter: logging.Formatter, text: str) -> None:
    line = formatter.format(record("name %s", text, extra=text))
    assert line.splitlines() == [line]
    assert "\x1b" not in line


@BOTH
def test_marks_that_turn_the_direction_of_text_are_made_visible(
    formatter: logging.Formatter,
) -> None:
    assert "\\u202e" in formatter.format(record("a\u202eb"))


@BOTH
def test_a_lone_surrogate_can_be_written(formatter: logging.Formatter) -> None:
    assert "\\ud800" in formatter.format(record("a\ud800b")).encode().decode()


def test_a_traceback_cannot_pass_for_a_record() -> None:
    first, *rest = (
        TextFormatter().format(failed("bad\n2025-11-23T00:00:00Z error forged")).split("\n")
    )
    assert first.endswith("it failed")
    assert rest
    assert all(line.startswith("    ") for line in rest)


def test_a_traceback_is_one_member_in_json() -> None:
    entry = json.loads(JsonFormatter().format(failed("bad")))
    assert entry["traceback"].endswith("ValueError: bad")
    assert entry["message"] == "it failed"


def test_what_json_cannot_hold_is_written_as_text() -> None:
    assert json.loads(JsonFormatter().format(record("m", path=object)))["path"] == str(object)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("GET /api/ws?token=abc.def&client_id=x", "GET /api/ws?token=***&client_id=x"),
        ("?access_token=abc", "?access_token=***"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ("authorization: Basic YTpi", "authorization: Basic ***"),
        ("sent bearer abc", "sent bearer ***"),
        ('{"token": "abc", "a": 1}', '{"token": "***", "a": 1}'),
        ("{'token': 'abc'}", "{'token': '***'}"),
        ("Set-Cookie: a=abc; Path=/", "Set-Cookie: ***"),
        ("password=hunter2", "password=***"),
        ("the tokenizer: fast", "the tokenizer: fast"),
        ("2 tokens were refused", "2 tokens were refused"),
    ],
)
def test_tokens_are_taken_out(text: str, clean: str) -> None:
    assert redact(text) == clean


@BOTH
def test_tokens_are_in_no_record(formatter: logging.Formatter) -> None:
    lines = [
        formatter.format(record("GET %s", "/api/ws?token=hunter2", url="ws://h/?token=hunter2")),
        formatter.format(failed("token=hunter2")),
    ]
    assert "hunter2" not in "".join(lines)


def test_escaping_leaves_what_can_be_seen() -> None:
    assert escape("ärger 日本 😀") == "ärger 日本 😀"


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    logger.handlers = []
    yield logger
    logger.handlers = handlers
    logger.setLevel(level)


def test_the_log_goes_to_the_stream_from_its_level_on(root: logging.Logger) -> None:
    stream = io.StringIO()
    configure("json", "warning", stream)
    logging.getLogger("rhtmx_server").info("no")
    logging.getLogger("rhtmx_server").warning("yes")
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["yes"]


@pytest.mark.parametrize("name", ["websockets", "websockets.server", "rhtmx_server.websockets"])
def test_frames_are_not_logged_even_when_debugging(root: logging.Logger, name: str) -> None:
    stream = io.StringIO()
    configure("text", "debug", stream)
    logging.getLogger("rhtmx_server").debug("yes")
    logging.getLogger(name).debug("< TEXT 'payload'")
    assert "yes" in stream.getvalue()
    assert "payload" not in stream.getvalue()


@pytest.mark.parametrize(("level", "logged"), [("debug", True), ("info", False)])
def test_each_connection_is_logged_only_when_debugging(
    root: logging.Logger, level: str, logged: bool
) -> None:
    stream = io.StringIO()
    configure("text", level, stream)
    logging.getLogger("rhtmx_server.websockets").info("connection open")
    assert ("connection open" in stream.getvalue()) is logged
