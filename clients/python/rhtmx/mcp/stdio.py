"""The Model Context Protocol over standard input and output.

Alone here is the package `mcp`, which is loaded only where somebody asks for it. Knows how the
protocol names things. Must not know servers, nor what tools do.

Standard output is the protocol's. `mcp` has it to itself from its first message on: what else would
be printed goes to standard error.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from typing import Any

import mcp_types as types
from mcp.server import NotificationOptions, Server, ServerRequestContext
from mcp.server.session import ServerSession
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged

from rhtmx.mcp.answers import ToolAnswer
from rhtmx.mcp.caller import ToolCaller
from rhtmx.mcp.tools import ToolDescription

__all__ = ["serve"]

_INSTRUCTIONS = """\
The records and forms of an application that people work with at the same time. The tool of an \
entity has an 'action'. Read a record before you edit it, and give its 'version' with the edit: \
then nothing is written over what somebody else has written meanwhile. What is refused says which \
field is wrong and why: mend it, and call again. What is acknowledged is stored."""
_CHUNK = 65_536


async def serve(caller: ToolCaller, version: str) -> None:
    """Serve the tools until the host closes standard input.

    Args:
        caller: does what they are for.
        version: of this program.
    """
    served = _Served(caller)
    server: Server[Any] = Server(
        "rhtmx",
        version=version,
        instructions=_INSTRUCTIONS,
        on_list_tools=served.list_tools,
        on_call_tool=served.call_tool,
        on_subscriptions_listen=ListenHandler(served.bus),
    )
    caller.application.changed = served.tell
    options = server.create_initialization_options(NotificationOptions(tools_changed=True))
    stdin: Any = _Lines(asyncio.get_running_loop())
    try:
        async with stdio_server(stdin) as (reading, writing):
            await server.run(reading, writing, options)
    finally:
        caller.application.changed = None


class _Served:
    """The handlers of the protocol's requests.

    Attributes:
        bus: where hosts of the protocol since 2026-07-28 hear of other tools.
    """

    def __init__(self, caller: ToolCaller) -> None:
        self.bus = InMemorySubscriptionBus()
        self._caller = caller
        self._session: ServerSession | None = None

    async def list_tools(
        self, context: ServerRequestContext[Any], _: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        self._session = context.session
        return types.ListToolsResult(tools=[_tool(each) for each in self._caller.tools.values()])

    async def call_tool(
        self, _: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        return _result(await self._caller.call(params.name, params.arguments or {}))

    async def tell(self) -> None:
        """The tools are other ones: hosts of before are told at once, newer ones where they ask."""
        if self._session is not None:
            await self._session.send_tool_list_changed()
        await self.bus.publish(ToolsListChanged())


def _tool(tool: ToolDescription) -> types.Tool:
    return types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=dict(tool.input_schema),
        output_schema=dict(tool.output_schema),
        annotations=types.ToolAnnotations(
            read_only_hint=tool.read_only,
            destructive_hint=not tool.read_only,
            idempotent_hint=tool.read_only,
            open_world_hint=False,
        ),
    )


def _result(answer: ToolAnswer) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=answer.text)],
        structured_content=dict(answer.content),
        is_error=answer.failed,
    )


class _Lines:
    """The lines of standard input, read by a thread that nobody waits for.

    A thread of a pool would be waited for at the end: with Ctrl-C, until somebody types a line.

    Args:
        loop: where they are asked for.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lines: asyncio.Queue[bytes] = asyncio.Queue()
        threading.Thread(target=self._read, name="rhtmx-mcp", daemon=True).start()

    async def __aiter__(self) -> AsyncIterator[str]:
        while line := await self._lines.get():
            yield line.decode(errors="replace")

    def _read(self) -> None:
        with os.fdopen(0, "rb", buffering=_CHUNK, closefd=False) as source:
            line = b"-"
            while line:
                line = source.readline()
                try:
                    self._loop.call_soon_threadsafe(self._lines.put_nowait, line)
                except RuntimeError:  # the loop has ended
                    return
