"""The command for AI assistants: `mcp`.

Knows its order of things, and that a package may be missing. Must not know the protocol, which is
loaded only where it is asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import difflib
from collections.abc import Iterable, Iterator

from rhtmx.api.client import Client
from rhtmx.cli import files
from rhtmx.cli.certificates import context
from rhtmx.cli.connected import client_of
from rhtmx.cli.errors import FINE, NO_CONNECTION, USAGE, CommandError
from rhtmx.cli.output import Output
from rhtmx.cli.requests import Mcp, Server
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.mcp.application import RunningApplication
from rhtmx.mcp.caller import ToolCaller
from rhtmx.mcp.document import SchemaDocument, read_document
from rhtmx.mcp.schema_source import SchemaSource
from rhtmx.version import __version__

__all__ = ["mcp"]

_MISSING = (
    "the package `mcp`, 2.3 or newer, is not installed, and assistants are spoken to with it: "
    "pip install 'rhtmx[mcp]', or '.[mcp]' in a checkout"
)


async def mcp(server: Server, request: Mcp, output: Output) -> int:
    """Offer an application to an AI assistant, until that closes standard input.

    Returns:
        The exit code.

    Raises:
        CommandError: the server does not answer, `--only` names what is not there, or a package
            is missing.
        RhtmxError: there is no connection, or no schema.
    """
    try:
        # Here, as it takes as long to load as all of the client, which does without it.
        from rhtmx.mcp.stdio import serve
    except ImportError as missing:
        if (missing.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        raise CommandError(_MISSING, USAGE) from None
    application = _application(server)
    caller = ToolCaller(application, only=request.only, read_only=request.read_only)
    try:
        await _open(application, server)
        _check(request.only, application.document)
        names = ", ".join(caller.tools) or "none: its schema has no entities and forms"
        output.note(f"serving tools for '{server.shown}' on standard input and output: {names}")
        await serve(caller, __version__)
    finally:
        await caller.close()
        await application.close()
    return FINE


async def _open(application: RunningApplication, server: Server) -> None:
    try:
        async with asyncio.timeout(server.timeout):
            await application.open()
    except TimeoutError:
        raise CommandError(
            f"'{server.shown}' did not answer for {server.timeout:g} s: is the server running?",
            NO_CONNECTION,
        ) from None


def _application(server: Server) -> RunningApplication:
    """The application, once its files are known to be usable.

    They are read again for each connection. What is wrong with them then is no end of the command,
    but of a call.
    """
    tls = context(server.ca, server.cert, server.key)
    source = SchemaSource(server.url, tls, server.timeout)
    path = server.token_file
    if path is not None:
        files.token(path)

    def connect() -> Client:
        with _told():
            return client_of(server)

    async def fetch() -> SchemaDocument:
        with _told():
            token = server.token if path is None else files.token(path)
        return read_document(await source.read(token))

    return RunningApplication(connect, fetch, shown=server.shown, timeout=server.timeout)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except CommandError as error:
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, error.message) from None


def _check(only: Iterable[str], document: SchemaDocument) -> None:
    known = [*document.entities, *document.forms]
    for name in only:
        if name not in known:
            close = difflib.get_close_matches(name, known)
            hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(known)}"
            raise CommandError(
                f"--only {name}: the schema has no such entity or form: {hint}", USAGE
            )
