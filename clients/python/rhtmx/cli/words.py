"""What the help says.

Holds words only: which options there are is for `parser`.
"""

from __future__ import annotations

__all__ = ["COMMANDS", "DESCRIPTION", "EPILOG", "Words"]

from collections.abc import Mapping
from dataclasses import dataclass

DESCRIPTION = "Live data, live fields and live forms of an rhtmx server, from a terminal."

EPILOG = """\
examples:
  rhtmx tail tasks
      what happens to tasks, as it happens
  rhtmx push tasks 7 title="Write it down" done:=false
      write a record
  rhtmx sync tasks --json > tasks.jsonl
      everything there is, once, as JSON lines
  rhtmx validate signup email=nope
      is this form valid?
  RHTMX_URL=wss://example.com/api/ws RHTMX_TOKEN=… rhtmx tail tasks
      another server, with a token

`rhtmx COMMAND --help` says more.

exit codes: 0 fine, 1 refused or invalid, 2 wrong options, 3 no connection,
130 ended with Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Words:
    """What the help of one command says.

    Attributes:
        usage: how it is written.
        summary: it, in a line.
        description: it, in full.
        epilog: examples, and what else is good to know.
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
Follow what happens to one or more collections. A line is a change: version,
what happened, record, data, time (of this machine's zone) and the client.

A lost connection is made again, and reading goes on where it was; standard
error says so. Ctrl-C ends it.""",
        """\
examples:
  rhtmx tail tasks
  rhtmx tail tasks users --since 0          from the beginning
  rhtmx tail tasks --fields                 field by field
  rhtmx tail tasks -n 1 --json | jq .data   wait for the next change

With --json a line is an object: type change or field_change, entity, entity_id,
action, data (or field and value), version, epoch, client_id, created_at (or
timestamp). If a stream could not go on where it was, one of type reset says so:
what was printed of that entity may be out of date, all of it follows anew.""",
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
  @FILE                      a file that holds it
  -                          standard input

With --fields the fields are merged into the record, and the others stay. What
was in conflict is printed, and the exit code is 1 if a field did not win.""",
        """\
examples:
  rhtmx push tasks 7 title="Write it down" done:=false
  rhtmx push tasks 7 --fields done:=true --remove note
  rhtmx push tasks 7 --delete
  rhtmx push tasks 7 @task.json --base-version 41
  rhtmx sync tasks --json | rhtmx push copies --from -

A line of --from is {"entity_id": "7", "data": {…}}; it may have a
"base_version", or "action": "delete" instead of data. What `rhtmx sync --json`
prints is read as well. A refused line does not stop the others.""",
    ),
    "sync": Words(
        "rhtmx sync ENTITY [options]",
        "read what there is, once",
        """\
Read every record that changed after a position, each once, at its latest; then
say on standard error where to go on.""",
        """\
examples:
  rhtmx sync tasks                     everything
  rhtmx sync tasks --since 3f9c…:41    what has changed since then
  rhtmx sync tasks --fields --json

With --json the lines are those of `rhtmx tail --json`, and the last one is of
type position: entity, epoch, version.""",
    ),
    "validate": Words(
        "rhtmx validate FORM field=value [field=value …] [options]",
        "ask whether a form is valid",
        """\
Ask the server whether a whole form is valid (fields left out are checked, too),
or with --field about one; the others go along for rules across fields. A field
that has several values is given once for each; field=@FILE chooses a file, of
which name, size and type are sent; field=@@text is a text that begins with @.

The exit code is 1 if it is not valid.""",
        """\
examples:
  rhtmx validate signup email=ada@example.com age=36
  rhtmx validate signup email=nope --field email
  rhtmx validate article tags=red tags=blue document=@report.pdf

With --json: one object with valid and errors, or with --field valid, error and
metadata.""",
    ),
}
"""Command → what its help says."""
