"""A foreign gRPC client: grpcio, with stubs that its own tools generate.

Its calls block, so they run in threads; the server under test has the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from tests.support.sockets import PATIENCE

PROTO = Path(__file__).parents[2] / "proto" / "rhtmx" / "v1"


@functools.cache
def generated(folder: Path) -> Any:
    """Generate the stubs into a folder, and import them.

    The files get another path, so that their modules are no part of our package.
    """
    from grpc_tools import protoc

    target = folder / "foreign" / "v1"
    target.mkdir(parents=True)
    for file in PROTO.glob("*.proto"):
        text = file.read_text().replace('import "rhtmx/v1/', 'import "foreign/v1/')
        (target / file.name).write_text(text)
    include = Path(protoc.__file__).parent / "_proto"
    arguments = ["", f"-I{folder}", f"-I{include}", f"--python_out={folder}"]
    files = [str(file) for file in target.glob("*.proto")]
    assert protoc.main([*arguments, f"--grpc_python_out={folder}", *files]) == 0
    sys.path.insert(0, str(folder))
    try:
        names = [f"foreign.v1.{file.stem}_pb2" for file in target.glob("*.proto")]
        modules = [importlib.import_module(name) for name in names]
        service = importlib.import_module("foreign.v1.trackers_pb2_grpc")
    finally:
        sys.path.remove(str(folder))
    return Foreign(modules, service)


class Foreign:
    """The generated messages by their names, and the stub."""

    def __init__(self, modules: list[Any], service: Any) -> None:
        for module in modules:
            for name in dir(module):
                if not name.startswith("_"):
                    setattr(self, name, getattr(module, name))
        self.Stub = service.TrackersStub

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


class Backend:
    """A backend with one channel.

    Attributes:
        m: the generated messages.
        stub: the generated stub; its calls block.
    """

    def __init__(self, messages: Any, channel: Any, threads: ThreadPoolExecutor) -> None:
        self.m = messages
        self.channel = channel
        self.stub = messages.Stub(channel)
        self._threads = threads

    async def run(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Run something that blocks."""
        call = functools.partial(function, *arguments, **named)
        async with asyncio.timeout(PATIENCE):
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def ask(self, method: str, message: Any, **named: Any) -> Any:
        """Make a unary call."""
        return await self.run(getattr(self.stub, method), message, timeout=PATIENCE, **named)

    async def refused(self, method: str, message: Any, **named: Any) -> Refusal:
        """Make a unary call that must fail."""
        try:
            answer = await self.ask(method, message, **named)
        except grpc.RpcError as error:
            return Refusal(error)
        raise AssertionError(f"{method} was answered with {answer}")

    def stream(self, method: str, message: Any, **named: Any) -> Reading:
        """Make a call that is answered with a stream."""
        return Reading(self, getattr(self.stub, method)(message, **named))

    async def all(self, method: str, message: Any, **named: Any) -> list[Any]:
        """Everything that a stream has, up to its end."""
        call = getattr(self.stub, method)(message, timeout=PATIENCE, **named)
        messages: list[Any] = await self.run(list, call)
        return messages

    def push(self, entity: str, entity_id: str, data: Any, **more: Any) -> Any:
        """A push of a record; `None` deletes it."""
        action = self.m.CHANGE_ACTION_DELETE if data is None else self.m.CHANGE_ACTION_UPDATE
        text = None if data is None else json.dumps(data).encode()
        return self.m.Push(entity=entity, entity_id=entity_id, action=action, data=text, **more)


class Refusal:
    """How a call failed."""

    def __init__(self, error: Any) -> None:
        self.status: str = error.code().name
        self.words: str = error.details() or ""
        trailers = dict(error.trailing_metadata() or ())
        self.code: str | None = trailers.get("rhtmx-code")
        details = trailers.get("rhtmx-details-bin")
        self.details: Any = None if details is None else json.loads(details)
        self.trailers = trailers

    def __repr__(self) -> str:
        return f"{self.status} {self.code}: {self.words}"


class Reading:
    """A stream that is read message by message."""

    def __init__(self, backend: Backend, call: Any) -> None:
        self._backend = backend
        self.call = call

    async def begun(self) -> None:
        """Wait until the server has taken the call."""
        await self._backend.run(self.call.initial_metadata)

    async def next(self) -> Any:
        return await self._backend.run(next, self.call)

    async def until(self, case: str) -> Any:
        """The next message of this kind."""
        while True:
            envelope = await self.next()
            if envelope.WhichOneof("message") == case:
                return getattr(envelope, case)

    async def end(self) -> Refusal:
        """Wait for the error that ends it."""
        try:
            await self._backend.run(list, self.call)
        except grpc.RpcError as error:
            return Refusal(error)
        raise AssertionError("the stream ended well")

    def cancel(self) -> None:
        self.call.cancel()


@contextlib.asynccontextmanager
async def backend(
    messages: Any, address: str, credentials: Any = None, *options: tuple[str, Any]
) -> AsyncIterator[Backend]:
    """A backend that is connected."""
    every = [("grpc.use_local_subchannel_pool", 1), *options]
    if credentials is None:
        channel = grpc.insecure_channel(address, options=every)
    else:
        channel = grpc.secure_channel(address, credentials, options=every)
    threads = ThreadPoolExecutor(16)
    try:
        yield Backend(messages, channel, threads)
    finally:
        await asyncio.to_thread(channel.close)
        threads.shutdown(wait=False)


def one_by_one(messages: list[Any], goes_on: Callable[[], Any]) -> Iterator[Any]:
    """Requests of a stream; then wait for `goes_on` before the end."""
    yield from messages
    goes_on()
