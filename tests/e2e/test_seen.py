"""What others can do with an application of which they know nothing but the address."""

from __future__ import annotations

import base64
import gzip
import json
import shutil
import sys
from asyncio import to_thread
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc as grpcio
import jsonschema
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_reflection.v1alpha.reflection_pb2 import ExtensionRequest, ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

import rhtmx
from rhtmx_server import App, Config, Grant, Request
from tests.support.generated import schema_package
from tests.support.plain_http import Answer, ask
from tests.support.process import ran
from tests.support.schema_go.go import built

BUF = shutil.which("buf") or str(Path(sys.executable).with_name("buf"))
PROTOBUF = "application/x-protobuf"

SCHEMA = """
// One thing to do.
message Task {
  option (rhtmx.v1.entity) = {name: "tasks"};
  option (buf.validate.message).cel = {
    id: "known" message: "must have a score" expression: "this.hidden_score >= 0"
  };
  string title = 1 [(buf.validate.field) = {required: true, string: {max_len: 20}}];
  bool done = 2;
  int64 votes = 3 [(buf.validate.field).int64 = {gte: 0 lte: 3}];
  Priority priority = 4 [(buf.validate.field).enum.defined_only = true];
  int32 hidden_score = 5 [(rhtmx.v1.field).server_only = true];
}
enum Priority {
  PRIORITY_UNSPECIFIED = 0;
  PRIORITY_HIGH = 1;
}
"""
GOOD = {"title": "Écrire", "done": True, "votes": 3, "priority": 1}
WRONG: dict[str, Any] = {"title": "", "votes": 4, "priority": 7}
IDS = {"required", "int64.gte_lte", "enum.defined_only"}


def application(authenticate: Any = None, **options: Any) -> App:
    schema = schema_package(SCHEMA).schema
    config = Config(port=0, grpc_port=0, **options)
    return App(store="memory://", config=config, schema=schema, authenticate=authenticate)


@pytest.fixture
async def app() -> AsyncIterator[App]:
    async with application() as app:
        yield app


@pytest.fixture
async def closed() -> AsyncIterator[App]:
    """An application that asks who its readers are."""

    def authenticate(request: Request) -> Grant:
        if request.token != "ada":
            raise rhtmx.RhtmxError(rhtmx.ErrorCode.UNAUTHENTICATED, "who are you?")
        return Grant("ada")

    async with application(authenticate) as app:
        yield app


async def read(app: App, path: str = "/api/schema", method: str = "GET", **headers: str) -> Answer:
    return await ask(app.url, path, method, **headers)


# Plain HTTP


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "application/schema+json"),
        ("application/json", "application/json"),
        ("text/html, */*;q=0.1", "application/schema+json"),
        (PROTOBUF, PROTOBUF),
        ("application/protobuf", "application/protobuf"),
    ],
)
async def test_the_schema_comes_in_the_form_that_is_wanted(
    app: App, accept: str, content_type: str
) -> None:
    answer = await read(app, Accept=accept)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == content_type
    if "protobuf" in content_type:
        names = [each.name for each in FileDescriptorSet.FromString(answer.body).file]
        assert names[-1] == "rhtmx/v1/schema.proto" or "app.proto" in names
    else:
        assert "Task" in answer.json["$defs"]


async def test_a_link_can_say_which_form(app: App) -> None:
    answer = await read(app, "/api/schema?format=protobuf", Accept="application/json")
    assert answer.headers["Content-Type"] == PROTOBUF
    answer = await read(app, "/api/schema?format=json", Accept=PROTOBUF)
    assert answer.headers["Content-Type"] == "application/schema+json"
    wrong = await read(app, "/api/schema?format=yaml")
    assert (wrong.status, wrong.json["message"]) == (
        400,
        "format: json or protobuf expected, got 'yaml'",
    )
    none = await read(app, Accept="text/plain")
    assert none.status == 406
    assert none.json["message"].startswith("Accept: one of application/schema+json, ")


async def test_a_copy_is_asked_about_and_can_be_compressed(app: App) -> None:
    for path in ("/api/schema", "/api/schema?format=protobuf", "/api/asyncapi"):
        plain = await read(app, path)
        small = await read(app, path, **{"Accept-Encoding": "gzip"})
        assert gzip.decompress(small.body) == plain.body
        assert len(small.body) < len(plain.body)
        assert small.headers["Content-Encoding"] == "gzip"
        assert plain.headers["Vary"] == "Accept, Accept-Encoding, Origin"
        assert plain.headers["Cache-Control"] == "no-cache"
        tags = [each.headers["ETag"] for each in (plain, small)]
        assert tags[0] != tags[1]
        again = await read(app, path, **{"If-None-Match": tags[0]})
        assert (again.status, again.body) == (304, b"")
        head = await read(app, path, "HEAD")
        assert (head.body, head.headers["Content-Length"]) == (b"", str(len(plain.body)))


async def test_nothing_of_the_server_s_own_is_in_any_of_it(app: App) -> None:
    for path in ("/api/schema", "/api/schema?format=protobuf", "/api/asyncapi"):
        answer = await read(app, path)
        assert answer.status == 200
        assert b"hidden_score" not in answer.body
        assert b"must have a score" not in answer.body


async def test_an_application_without_a_schema_says_so() -> None:
    async with App(store="memory://", config=Config(port=0)) as app:
        answer = await read(app)
        assert (answer.status, answer.json["code"]) == (404, "not_supported")
        assert answer.json["message"].startswith("this application has no schema: App(schema=…)")
        assert list((await read(app, "/api/asyncapi")).json["channels"]) == ["socket"]


async def test_where_readers_are_asked_who_they_are_the_schema_is_for_those_who_say_it(
    closed: App,
) -> None:
    for path in ("/api/schema", "/api/asyncapi"):
        assert (await read(closed, path)).status == 401
        assert (await read(closed, path, Authorization="Bearer eve")).status == 401
        answer = await read(closed, path, Authorization="Bearer ada")
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "private, no-cache"


async def test_a_page_whose_name_was_made_to_point_here_reads_no_schema(app: App) -> None:
    for path in ("/api/schema", "/api/asyncapi"):
        assert (await read(app, path, Host="evil.example")).status == 403


async def test_a_page_that_was_allowed_by_name_may_read_it() -> None:
    async with application(origins=("https://a.example",)) as app:
        for path in ("/api/schema", "/api/asyncapi"):
            named = await read(app, path, Origin="https://a.example")
            assert named.headers["Access-Control-Allow-Origin"] == "https://a.example"
            other = await read(app, path, Origin="https://b.example")
            assert "Access-Control-Allow-Origin" not in other.headers


async def test_a_validator_knows_from_the_schema_what_the_server_refuses(app: App) -> None:
    document = (await read(app)).json
    link = document["x-rhtmx"]["entities"]["tasks"]
    validator = jsonschema.Draft202012Validator({**document, **link})
    assert validator.is_valid(GOOD)
    paths = {error.json_path for error in validator.iter_errors(WRONG)}
    assert paths == {"$.title", "$.votes", "$.priority"}
    async with rhtmx.connect(app.url) as client:
        await client.collection("tasks").set("1", GOOD)
        with pytest.raises(rhtmx.RhtmxError) as refused:
            await client.collection("tasks").set("2", WRONG)
        assert {each.code for each in refused.value.violations} == IDS


# Reflection


async def test_reflection_has_the_files_of_the_application(app: App) -> None:
    with grpcio.insecure_channel(app.grpc_address) as channel:
        base = ProtoReflectionDescriptorDatabase(channel)

        def look() -> list[str]:
            task = DescriptorPool(base).FindMessageTypeByName("app.v1.Task")
            return [field.name for field in task.fields]

        assert await to_thread(look) == ["title", "done", "votes", "priority"]
        options = "google.protobuf.FieldOptions"
        numbers = await to_thread(base.FindAllExtensionNumbers, options)
        assert {1159, 1160, 50221} <= set(numbers)
        # The library itself never asks for the file of an extension.
        asked = ExtensionRequest(containing_type=options, extension_number=50221)
        question = ServerReflectionRequest(file_containing_extension=asked)
        stub = ServerReflectionStub(channel)
        answer = await to_thread(lambda: next(stub.ServerReflectionInfo(iter([question]))))
        (first, *_) = answer.file_descriptor_response.file_descriptor_proto
        assert FileDescriptorProto.FromString(first).name == "rhtmx/v1/schema.proto"


async def test_reflection_shows_an_application_to_those_only_who_say_who_they_are(
    closed: App,
) -> None:
    with grpcio.insecure_channel(closed.grpc_address) as channel:
        stub = ServerReflectionStub(channel)

        def told(symbol: str, **metadata: str) -> Any:
            question = ServerReflectionRequest(file_containing_symbol=symbol)
            call = stub.ServerReflectionInfo(iter([question]), metadata=tuple(metadata.items()))
            return next(call)

        anybody = await to_thread(told, "rhtmx.v1.Trackers")
        assert len(anybody.file_descriptor_response.file_descriptor_proto) > 1
        nobody = await to_thread(told, "app.v1.Task")
        assert nobody.error_response.error_code == grpcio.StatusCode.UNAUTHENTICATED.value[0]
        assert nobody.error_response.error_message.startswith("a token expected")
        eve = await to_thread(told, "app.v1.Task", authorization="Bearer eve")
        assert eve.error_response.error_message == "who are you?"
        ada = await to_thread(told, "app.v1.Task", authorization="Bearer ada")
        assert len(ada.file_descriptor_response.file_descriptor_proto) > 1


# buf


REFLECT = ("--protocol", "grpc", "--http2-prior-knowledge", "--reflect")


def grpc(app: App, path: str = "") -> str:
    return f"http://{app.grpc_address}{path}"


async def buf(*arguments: str, code: int | None = 0, folder: Path | None = None) -> Any:
    return await ran(BUF, *arguments, code=code, folder=folder)


async def test_buf_reads_the_schema_and_writes_a_record(app: App, tmp_path: Path) -> None:
    listed = await buf("curl", *REFLECT, "--list-methods", grpc(app))
    assert "rhtmx.v1.Trackers/Push" in listed.output.split()
    # The types of the application, from the address of its schema alone.
    address = app.url.replace("ws://", "http://").replace("/api/ws", "/api/schema")
    image = f"{address}?format=protobuf#format=binpb"
    record, target = tmp_path / "task.json", tmp_path / "task.binpb"
    record.write_text(json.dumps(GOOD))
    convert = ("convert", image, "--type", "app.v1.Task")
    await buf(*convert, "--from", str(record), "--to", str(target))
    back = await buf(*convert, "--from", str(target), "--to", "-#format=json")
    assert json.loads(back.output) == {**GOOD, "votes": "3", "priority": "PRIORITY_HIGH"}
    # A call with them.
    for values, wanted in ((GOOD, '"version"'), (WRONG, '"invalid_argument"')):
        data = base64.b64encode(json.dumps(values).encode()).decode()
        push = {"entity": "tasks", "entityId": "buf", "action": 1, "data": data}
        called = await buf(
            "curl",
            *REFLECT,
            "-d",
            json.dumps(push),
            grpc(app, "/rhtmx.v1.Trackers/Push"),
            code=None,
        )
        assert wanted in called.output + called.errors


# Go


async def test_a_program_of_go_makes_a_record_of_the_schema_and_writes_it(
    app: App, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shared = tmp_path_factory.getbasetemp().parent
    program = built(shared)
    url = app.url.replace("ws://", "http://").replace("/api/ws", "/api/schema")

    async def run(values: dict[str, Any]) -> Any:
        arguments = (url, app.grpc_address, "app.v1.Task", "tasks", json.dumps(values))
        return json.loads((await ran(str(program), *arguments)).output)

    good = await run(GOOD)
    assert good["version"] == 1
    assert good["rules"]["title"] == "buf.validate.field "
    assert {1159, 50221} <= set(good["extensions"])
    assert good["extension"] == "rhtmx.v1.field"
    async with rhtmx.connect(app.url) as client:
        tasks = client.collection("tasks")
        await tasks.synced()
        record = tasks.get("go")
        assert record is not None
        assert record.data["title"] == GOOD["title"]
    wrong = await run({**WRONG, "title": ""})
    assert wrong["code"] == "InvalidArgument"
    assert set(wrong["violations"]) == IDS
