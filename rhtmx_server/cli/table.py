"""The table of options: what the command takes, and what its help says.

Knows names and words. Holds no code that reads or applies them.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from rhtmx_server.config import Config

__all__ = ["DEMO", "DESCRIPTION", "EPILOG", "GROUPS", "Option", "OptionKind"]

DEMO = "rhtmx_server.demo:app"

DESCRIPTION = """\
Live data, live fields and live forms over one WebSocket.

Without --app the server runs its demo: open http://127.0.0.1:3000/ in two
windows."""

EPILOG = """\
examples:
  rhtmx-server
      the demo, on http://127.0.0.1:3000/
  rhtmx-server --app app:app
      the App named app in app.py of the current directory
  rhtmx-server --app app:app --host 0.0.0.0 --origin https://example.com
      behind a proxy, for the pages of example.com
  rhtmx-server --app app:app --grpc-port 50051
      with the gRPC service, for backends on this machine
  RHTMX_STORE=sqlite:////var/lib/app.db RHTMX_LOG_FORMAT=json rhtmx-server --app app:app
      settings from the environment, as in a container
  rhtmx-server copy --from sqlite:///app.db --to postgresql://app@db.example/app
      all of a store into another one, while no server runs
  rhtmx-server mirror --app app:app --install
      the triggers of the tables that the app mirrors
  rhtmx-server mirror --app app:app --check
      whether all records are as the rows of these tables

You can set each option with the environment variable in brackets. The command
line takes precedence over the variable, and the variable over the app's own
settings.

When the server is ready it prints one line to standard output; its log goes to
standard error:
  ready ws://127.0.0.1:3000/api/ws

On SIGTERM or SIGINT (Ctrl-C) it finishes the writes, tells the clients to
reconnect, and stops. A second signal stops it at once.

exit codes: 0 stopped on request, 1 failed, 2 wrong options."""


class OptionKind(enum.Enum):
    """How the value of an option is written."""

    TEXT = enum.auto()
    WHOLE = enum.auto()
    NUMBER = enum.auto()
    SIZE = enum.auto()
    SWITCH = enum.auto()


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Args:
        flag: as written on the command line.
        metavar: stands for the value in the help.
        about: what it is, for the help.
        kind: how its value is written.
        setting: its name in `Config`, where the flag does not say it.
        default: its default in words, where `Config` does not say it.
        repeatable: it may be given several times.
    """

    flag: str
    metavar: str
    about: str
    kind: OptionKind = OptionKind.TEXT
    setting: str = ""
    default: str = ""
    repeatable: bool = False

    @property
    def name(self) -> str:
        """Its name in `Config`, or `app`, `store` or `bus`."""
        return self.setting or self.flag.removeprefix("--").replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable that stands for it, where the flag is not given."""
        return "RHTMX_" + self.flag.removeprefix("--").replace("-", "_").upper()

    @property
    def help(self) -> str:
        """What `--help` says of it."""
        default = self.default or _shown(getattr(Config(), self.name), self.kind)
        return f"{self.about} (default: {default})"


def _shown(value: object, kind: OptionKind) -> str:
    if kind is OptionKind.SWITCH:
        return "on" if value else "off"
    if kind is OptionKind.SIZE and isinstance(value, int) and value % 1024 == 0:
        return f"{value // 1024}KiB"
    return f"{value:g}" if isinstance(value, float) else str(value)


GROUPS: Mapping[str, tuple[Option, ...]] = {
    "what to run": (
        Option(
            "--app",
            "MODULE:ATTRIBUTE",
            "the App to run, imported from the current directory",
            default="the demo",
        ),
        Option(
            "--store",
            "URL",
            "where records are kept: sqlite:///relative.db, sqlite:////absolute.db, "
            "postgresql://user@host/database, or memory:// to keep nothing after the end",
            default="the app's own",
        ),
        Option(
            "--bus",
            "URL",
            "for several servers on one store, postgresql://…: how each hears at once what the "
            "others commit; nats://user@host:4222, or notify: for the database itself",
            default="the app's own, else the server has its store to itself",
        ),
    ),
    "where to listen": (
        Option("--host", "ADDRESS", "the address to listen on; 0.0.0.0 or :: for every network"),
        Option("--port", "PORT", "the port; 0 takes a free one", OptionKind.WHOLE),
        Option(
            "--origin",
            "ORIGIN",
            "one more origin whose pages may connect, such as https://example.com; may be "
            "given several times (in the variable: separated by commas)",
            setting="origins",
            default="only pages that this server serves",
            repeatable=True,
        ),
        Option(
            "--open",
            "on|off",
            "let every peer read and write everything, if other machines can reach the server and "
            "it asks nobody for a token",
            OptionKind.SWITCH,
        ),
        Option(
            "--inspector",
            "on|off",
            "serve /inspector, a page that shows the schema and the records, to each who opens it "
            "as far as they may read them",
            OptionKind.SWITCH,
        ),
        Option(
            "--without",
            "PART",
            "leave out one thing that is served beside /api/ws: client, health, legacy, metrics, "
            "reads or schema; may be given several times (in the variable: separated by commas)",
            default="all are served",
            repeatable=True,
        ),
        Option(
            "--node-name",
            "NAME",
            "what clients are told of which of several servers they are connected to",
            default="random",
        ),
    ),
    "gRPC, for backends": (
        Option(
            "--grpc-port",
            "PORT",
            "the port; 0 takes a free one",
            OptionKind.WHOLE,
            default="no gRPC",
        ),
        Option(
            "--grpc-host", "ADDRESS", "the address to listen on; one that others reach needs TLS"
        ),
        Option("--grpc-cert", "FILE", "certificate chain (PEM) for TLS", default="no TLS"),
        Option("--grpc-key", "FILE", "its key (PEM)", default="no TLS"),
        Option(
            "--grpc-client-ca",
            "FILE",
            "CA certificates (PEM): clients have to show one that these have signed",
            default="no client certificates",
        ),
        Option("--grpc-max-size", "BYTES", "largest message", OptionKind.SIZE),
        Option("--grpc-streams", "COUNT", "calls at a time on a connection", OptionKind.WHOLE),
        Option("--grpc-connections", "COUNT", "connections at a time", OptionKind.WHOLE),
        Option("--grpc-calls", "COUNT", "calls a second on a connection", OptionKind.WHOLE),
        Option("--grpc-outbox", "BYTES", "bytes that wait for one peer", OptionKind.SIZE),
    ),
    "log": (
        Option("--log-format", "FORMAT", "text or json, one entry a line"),
        Option("--log-level", "LEVEL", "debug, info, warning or error"),
        Option(
            "--tracing",
            "on|off",
            "trace with OpenTelemetry, as far as the program has set that up",
            OptionKind.SWITCH,
        ),
    ),
    "limits of one connection": (
        Option("--max-size", "BYTES", "largest message", OptionKind.SIZE),
        Option("--outbox", "BYTES", "bytes that wait for a slow reader", OptionKind.SIZE),
        Option("--subscriptions", "COUNT", "entities subscribed to", OptionKind.WHOLE),
        Option("--requests", "COUNT", "requests that wait for their answer", OptionKind.WHOLE),
        Option("--pushes-in-flight", "COUNT", "pushes that wait to be durable", OptionKind.WHOLE),
        Option("--rooms", "COUNT", "rooms entered at a time", OptionKind.WHOLE),
        Option("--room-members", "COUNT", "members of a room", OptionKind.WHOLE),
        Option("--room-members-per-subject", "COUNT", "of these, of one user", OptionKind.WHOLE),
        Option("--memberships-per-subject", "COUNT", "members of one user", OptionKind.WHOLE),
        Option("--room-messages", "COUNT", "messages told in a room a second", OptionKind.WHOLE),
        Option("--bad-messages", "COUNT", "messages that may be unreadable", OptionKind.WHOLE),
        Option(
            "--messages-per-second",
            "COUNT",
            "messages from a client; 0: any number",
            OptionKind.WHOLE,
        ),
        Option(
            "--bytes-per-second", "BYTES", "bytes from a client; 0: any number", OptionKind.SIZE
        ),
    ),
    "limits of the server": (
        Option("--handshakes", "COUNT", "peers that have not sent a request yet", OptionKind.WHOLE),
        Option("--connections", "COUNT", "open connections, gRPC included", OptionKind.WHOLE),
        Option(
            "--connections-per-address",
            "COUNT",
            "of these, from one address; raise it behind a proxy on another machine",
            OptionKind.WHOLE,
        ),
        Option("--connections-per-subject", "COUNT", "of these, of one subject", OptionKind.WHOLE),
        Option("--clients", "COUNT", "clients that the server remembers", OptionKind.WHOLE),
        Option("--entities", "COUNT", "entities that are not declared", OptionKind.WHOLE),
    ),
    "times": (
        Option("--heartbeat", "SECONDS", "time between two signs of life", OptionKind.NUMBER),
        Option(
            "--stall-timeout",
            "SECONDS",
            "time until a reader that takes nothing is dropped",
            OptionKind.NUMBER,
        ),
        Option("--handshake-timeout", "SECONDS", "time to send a request", OptionKind.NUMBER),
        Option("--stop-timeout", "SECONDS", "how long stopping may take", OptionKind.NUMBER),
        Option("--history-days", "DAYS", "how long each change is kept", OptionKind.NUMBER),
        Option("--tombstone-days", "DAYS", "how long deletions are kept", OptionKind.NUMBER),
    ),
    "writing": (
        Option(
            "--io-uring", "on|off", "write to many readers by one call, on Linux", OptionKind.SWITCH
        ),
    ),
    "compression": (
        Option(
            "--deflate", "on|off", "for clients that offer permessage-deflate", OptionKind.SWITCH
        ),
        Option("--deflate-level", "LEVEL", "1 is fast, 9 is small", OptionKind.WHOLE),
        Option(
            "--deflate-threshold", "BYTES", "smaller messages are not compressed", OptionKind.SIZE
        ),
        Option("--gzip-level", "LEVEL", "the same for the legacy endpoints", OptionKind.WHOLE),
        Option("--gzip-threshold", "BYTES", "the same for the legacy endpoints", OptionKind.SIZE),
    ),
    "validators": (
        Option("--validator-timeout", "SECONDS", "for one without a time limit", OptionKind.NUMBER),
        Option("--validator-threads", "COUNT", "plain ones at a time", OptionKind.WHOLE),
        Option("--check-budget", "SECONDS", "log a slower check of an entity", OptionKind.NUMBER),
        Option(
            "--receipt-seconds",
            "SECONDS",
            "how long a handler takes the receipt of a form; 0: there are none",
            OptionKind.NUMBER,
        ),
        Option(
            "--secret",
            "TEXT",
            "what receipts are signed with, the same for all servers of a cluster; better in the "
            "variable, as others on this machine can see the command line",
            default="random",
        ),
    ),
}
