"""The words of the help.

Holds words only: which options there are is for `parser`.
"""

from __future__ import annotations

__all__ = ["CODEGEN", "COMMANDS", "DESCRIPTION", "EPILOG", "Words"]

from collections.abc import Mapping
from dataclasses import dataclass

DESCRIPTION = "Live data, live fields and live forms of an rhtmx server, from a terminal."

EPILOG = """\
examples:
  rhtmx tail tasks
      show changes of tasks as they happen
  rhtmx push tasks 7 title="Write it down" done:=false
      write a record
  rhtmx sync tasks --json > tasks.jsonl
      print all records, once, as JSON lines
  rhtmx validate signup email=nope
      check a form
  RHTMX_URL=wss://example.com/api/ws RHTMX_TOKEN=… rhtmx tail tasks
      use another server, with a token

`rhtmx COMMAND --help` says more.

exit codes: 0 success, 1 rejected or invalid, 2 wrong options, 3 no connection,
130 ended with Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Words:
    """The help of one command.

    Attributes:
        usage: how it is written.
        summary: one line.
        description: the full description.
        epilog: examples and notes.
    """

    usage: str
    summary: str
    description: str
    epilog: str


COMMANDS: Mapping[str, Words] = {
    "tail": Words(
        "rhtmx tail ENTITY [ENTITY …] [options]",
        "follow changes as they happen",
        """\
Show the changes of one or more entities. Each line is a change: version,
action, record, data, time (in this machine's time zone) and client.

After a lost connection, it reconnects and resumes, and says so on standard
error. Ctrl-C ends it.""",
        """\
examples:
  rhtmx tail tasks
  rhtmx tail tasks users --since 0          from the beginning
  rhtmx tail tasks --fields                 field by field
  rhtmx tail orders --where customer=7      a part of an entity
  rhtmx tail tasks -n 1 --json | jq .data   wait for the next change

With --json each line is an object: type change or field_change, entity,
entity_id, action, data (or field and value), version, epoch, client_id,
created_at (or timestamp); with left: true the record is still there, but not
in the part that is read. If a stream cannot resume, it prints an object of
type reset: earlier lines of that entity may be out of date, and all of its
records follow again.""",
    ),
    "push": Words(
        "rhtmx push ENTITY ID DATA [options]\n"
        "       rhtmx push ENTITY ID --delete [options]\n"
        "       rhtmx push ENTITY --from FILE [options]",
        "write a record, or many",
        """\
Write a record, and print its version once it is durable.

DATA is one of
  field=text field:=JSON …   an object; := takes numbers, true, null, lists …
  '{"title": "…"}'           any JSON value
  @FILE                      a file with the JSON value
  -                          standard input

With --fields the fields are merged into the record, and the other fields stay.
It prints each conflict, and the exit code is 1 if a field lost.

Operations are merged in any case, on top of what is there when they arrive, so
that two who count at the same time are both counted:
  votes+=1 votes-=2          add to a number; "0.50" to a decimal number
  labels+=urgent labels-=old add an element to a set, or remove it; a JSON list
                             for several, or if it looks like a number: '["7"]'""",
        """\
examples:
  rhtmx push tasks 7 title="Write it down" done:=false
  rhtmx push tasks 7 --fields done:=true --remove note
  rhtmx push tasks 7 votes+=1 labels+=urgent
  rhtmx push tasks 7 --delete
  rhtmx push tasks 7 @task.json --base-version 41
  rhtmx sync tasks --json | rhtmx push copies --from -

A line of --from is {"entity_id": "7", "data": {…}}; it may have a
"base_version", or "action": "delete" instead of data. It also reads
the output of `rhtmx sync --json`. A rejected line does not stop the others.""",
    ),
    "sync": Words(
        "rhtmx sync ENTITY [options]",
        "read the current records, once",
        """\
Read every record that changed after a position, each once, in its latest
state. Then print on standard error the position from which to continue.""",
        """\
examples:
  rhtmx sync tasks                     all records
  rhtmx sync tasks --since 3f9c…:41    records that changed since then
  rhtmx sync tasks --fields --json
  rhtmx sync orders --where customer=7 --where customer=8

With --json it prints lines like those of `rhtmx tail --json`, and a last line
of type position: entity, epoch, version (and scope, of a part).""",
    ),
    "validate": Words(
        "rhtmx validate FORM field=value [field=value …] [options]",
        "ask whether a form is valid",
        """\
Ask the server whether a whole form is valid; it also checks fields that you
leave out. With --field ask about one field; the server gets the others for
rules across fields. Give a field with several values once for each value.
field=@FILE chooses a file: its name, size and type are sent. field=@@text is a
text that begins with @.

The exit code is 1 if it is not valid.""",
        """\
examples:
  rhtmx validate signup email=ada@example.com age=36
  rhtmx validate signup email=nope --field email
  rhtmx validate article tags=red tags=blue document=@report.pdf

With --json it prints one object with valid and errors, or with --field one with
valid, error and metadata.""",
    ),
    "log": Words(
        "rhtmx log ENTITY ID [options]",
        "read the commits of a record",
        """\
Show what became of a record: its commits that are still kept, the newest first.
Each line is a commit: version, action, time (in this machine's time zone), who,
and what it wrote; -field says that it removed the field.""",
        """\
examples:
  rhtmx log tasks 7
  rhtmx log tasks 7 -n 1 --until 2026-11-29T12:00 --json | jq .data
      the record as it was then

With --json each line is an object of type commit: entity, entity_id, action,
data (the whole record after it), version, changed (the names of the fields that
it set or removed), client_id, subject, created_at.""",
    ),
    "blame": Words(
        "rhtmx blame ENTITY ID [options]",
        "ask who wrote which field of a record",
        """\
Show for each field of a record which commit wrote it, when, and who it was: the
user, or the start of the client's id.""",
        """\
examples:
  rhtmx blame tasks 7

With --json each line is an object of type field_author: entity, entity_id,
field, version, timestamp, client_id, subject.""",
    ),
    "undo": Words(
        "rhtmx undo ENTITY ID VERSION [options]",
        "take a commit back",
        """\
Write back what a commit replaced, and print the version of that. The fields
that it changed become what they were, if nobody has written them since; what
others wrote into other fields stays. A commit that created or deleted the
record is taken back if the record has not changed at all since.

If something came after it, nothing is written, and the exit code is 1.""",
        """\
examples:
  rhtmx log tasks 7
  rhtmx undo tasks 7 42

With --json it prints what `rhtmx push --json` prints.""",
    ),
    "conflicts": Words(
        "rhtmx conflicts ENTITY [options]",
        "read the conflicts that nobody has answered",
        """\
Show the writes that stood against each other and that nobody has answered yet:
the record, the number of the conflict, the field, what lost against what, and
the rule that decided. With --follow go on, as they come and are answered;
Ctrl-C ends it.""",
        """\
examples:
  rhtmx conflicts tasks
  rhtmx conflicts tasks --follow
  rhtmx conflicts orders --where customer=7     of a part of an entity

With --json each line is an object of type conflict: entity, entity_id, number,
field, key, winner, strategy, base_version, version, and the two sides, stored
and pushed, each with value, action, timestamp, client_id, subject; what is not
known is absent. One that was answered is an object of type conflict_answered:
entity, entity_id, number.""",
    ),
    "resolve": Words(
        "rhtmx resolve ENTITY ID NUMBER --lost [options]\n"
        "       rhtmx resolve ENTITY ID NUMBER --standing [options]\n"
        "       rhtmx resolve ENTITY ID NUMBER VALUE [options]",
        "answer a conflict",
        """\
Answer a conflict, by its number as `rhtmx conflicts` prints it: write the value
that has lost, leave the one that stands, or write a third one, as JSON; a text
has its quotes. Each conflict is answered once: if somebody else was faster,
nothing is written, and the exit code is 1.""",
        """\
examples:
  rhtmx resolve tasks 7 12 --lost
  rhtmx resolve tasks 7 12 --standing
  rhtmx resolve tasks 7 12 '"Write it down today"'

With --json it prints what `rhtmx push --json` prints, or an object of type
conflict_answered.""",
    ),
    "check": Words(
        "rhtmx check SCHEMA [options]",
        "find the records that break a rule",
        """\
Read the records of the entities of a schema, and judge each by its rules, as if
all of it were written now. Each line is a rule that a record breaks: the
record, the field, the id of the rule, and what is wrong. SCHEMA is the package
that `rhtmx codegen --python` has made; it is looked for in this folder first.

After a rule has become tighter, old records stay as they are, and are in
nobody's way until somebody writes a field that the rule reads. This finds them.

The exit code is 1 if there are any.""",
        """\
examples:
  rhtmx check app_schema
  rhtmx check app_schema --entity tasks --json

With --json each line is an object of type violation: entity, entity_id,
version, field, code, message.""",
    ),
    "mcp": Words(
        "rhtmx mcp [URL] [options]",
        "offer the application to an AI assistant",
        """\
Speak the Model Context Protocol on standard input and output: an assistant
starts this, and gets a tool for each entity and each form of the application's
schema, which is read from the server. What it does there goes through the same
door as everybody's: with the rights of the token, and the same rules.

It needs the extra: pip install 'rhtmx[mcp]'. It ends when the assistant closes
standard input. News and errors are on standard error.""",
        """\
examples:
  rhtmx mcp ws://127.0.0.1:3000/api/ws
  rhtmx mcp wss://example.com/api/ws --token-file token --read-only
  rhtmx mcp --only tasks --only task        only this entity and this form

An assistant is told of it like this:
  {"mcpServers": {"board": {"command": "rhtmx",
    "args": ["mcp", "ws://127.0.0.1:3000/api/ws"]}}}""",
    ),
}
"""Command → its help."""

CODEGEN = "make typed code of an application's schema"
"""What `rhtmx codegen` does, in a line; it has options and a help of its own."""
