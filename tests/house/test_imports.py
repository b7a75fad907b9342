"""The laws of who imports whom."""

from __future__ import annotations

import pytest

from tests.house.source import IMPORTS, MODULES, SOURCES, Import, within

OURS = ("rhtmx", "rhtmx_server", "rhtmx_codegen", "codegen")
SHELLS = ("asyncio", "threading", "socket", "selectors", "websockets", "grpclib", "uvloop")
CHANCE = ("time", "random", "secrets", "uuid")
DRIVERS = ("apsw", "sqlite3", "asyncpg", "nats")
STORES = ("rhtmx_server.stores", "rhtmx.stores")

PURE = (*SHELLS, *CHANCE, *DRIVERS, *STORES)

OUTSIDE = ("rhtmx_server.transports", "rhtmx_server.buses", *STORES, *DRIVERS)
SHELL_ROOMS = ("rhtmx.api", "rhtmx.runtime", "rhtmx.grpc", "rhtmx.cli", "rhtmx.mcp")
PROTOCOL = ("mcp", "mcp_types")
"""The package for AI assistants: no part of ours but one may load it."""

NEVER: dict[str, tuple[str, ...]] = {
    "rhtmx.wire": (*PURE, "rhtmx.core", *SHELL_ROOMS),
    "rhtmx.values": (*PURE, "rhtmx.core", *SHELL_ROOMS),
    "rhtmx.core": (*PURE, *SHELL_ROOMS),
    "rhtmx.runtime": ("rhtmx.api", "rhtmx.grpc", "rhtmx.cli", "rhtmx.mcp", *STORES),
    "rhtmx.api": ("rhtmx.grpc", "rhtmx.cli", "rhtmx.mcp", "websockets"),
    "rhtmx.stores": ("rhtmx.core.session", *SHELL_ROOMS, *SHELLS),
    "rhtmx.grpc": ("rhtmx.api", "rhtmx.runtime", "rhtmx.cli", "rhtmx.mcp", *STORES),
    "rhtmx.mcp": ("rhtmx.cli", "rhtmx.grpc", "rhtmx.runtime", "websockets", *STORES),
    **dict.fromkeys(
        (
            "rhtmx.mcp.answers",
            "rhtmx.mcp.arguments",
            "rhtmx.mcp.document",
            "rhtmx.mcp.listing",
            "rhtmx.mcp.plain_schema",
            "rhtmx.mcp.secrets",
            "rhtmx.mcp.tools",
        ),
        (*PURE, "rhtmx.api", "rhtmx.runtime", *PROTOCOL),
    ),
    "rhtmx.grpc.resuming_cursor": PURE,
    "rhtmx_server.access": (*PURE, "rhtmx.wire"),
    "rhtmx_server.authenticators.key_cache": PURE,
    "rhtmx_server.authenticators": ("rhtmx_server.connections", "rhtmx.wire", *OUTSIDE),
    "rhtmx_server.buses": (
        "rhtmx_server.connections",
        "rhtmx_server.delivery",
        "rhtmx_server.trackers",
        "rhtmx_server.transports",
        "rhtmx_server.writing",
        "rhtmx.wire",
        *STORES,
    ),
    **dict.fromkeys(
        (
            "rhtmx_server.buses.backoff",
            "rhtmx_server.buses.listener",
            "rhtmx_server.buses.nats_url",
            "rhtmx_server.buses.outbound",
            "rhtmx_server.buses.split",
        ),
        PURE,
    ),
    "rhtmx_server.connections.session": PURE,
    "rhtmx_server.connections.checks": PURE,
    "rhtmx_server.encoding": (
        *PURE,
        "rhtmx_server.connections",
        "rhtmx_server.delivery",
        "rhtmx_server.writing",
        "rhtmx_server.transports",
    ),
    "rhtmx_server.delivery": ("rhtmx_server.connections", "rhtmx_server.writing", *OUTSIDE),
    "rhtmx_server.delivery.cursor": PURE,
    "rhtmx_server.delivery.hub": (*SHELLS, *CHANCE),
    "rhtmx_server.delivery.outbox": (*SHELLS, *CHANCE),
    "rhtmx_server.writing": ("rhtmx_server.connections", "rhtmx_server.delivery", *OUTSIDE),
    "rhtmx_server.writing.batch": PURE,
    "rhtmx_server.writing.decisions": PURE,
    "rhtmx_server.writing.fair_queue": PURE,
    "rhtmx_server.writing.outcomes": PURE,
    "rhtmx_server.writing.sql_mutations": PURE,
    "rhtmx_server.forms": ("rhtmx_server.connections", "rhtmx_server.delivery", *OUTSIDE),
    **dict.fromkeys(
        (
            "rhtmx_server.forms.canonical",
            "rhtmx_server.forms.open_forms",
            "rhtmx_server.forms.receipts",
            "rhtmx_server.forms.rule_facts",
            "rhtmx_server.forms.rule_versions",
        ),
        PURE,
    ),
    "rhtmx_server.mirror": ("rhtmx_server.connections", "rhtmx_server.delivery", *OUTSIDE),
    **dict.fromkeys(
        (
            "rhtmx_server.mirror.host",
            "rhtmx_server.mirror.outcomes",
            "rhtmx_server.mirror.row_records",
            "rhtmx_server.mirror.triggers",
        ),
        PURE,
    ),
    "rhtmx_server.names": PURE,
    "rhtmx_server.ports": PURE,
    "rhtmx_server.program": OUTSIDE,
    "rhtmx_server.program.condition": PURE,
    "rhtmx_server.rooms": ("rhtmx_server.connections", "rhtmx_server.writing", *OUTSIDE),
    **dict.fromkeys(
        (
            "rhtmx_server.rooms.local_members",
            "rhtmx_server.rooms.open_room",
            "rhtmx_server.rooms.presence",
            "rhtmx_server.rooms.replicas",
            "rhtmx_server.rooms.wire",
            "rhtmx_server.rooms.roster",
        ),
        PURE,
    ),
    "rhtmx_server.round_robin": PURE,
    "rhtmx_server.trackers.merge": PURE,
    "rhtmx_server.trackers": (
        "rhtmx.wire",
        "rhtmx_server.delivery",
        "rhtmx_server.transports",
        "rhtmx_server.buses",
        *STORES,
        *DRIVERS,
    ),
    "rhtmx_server.stores": (
        "rhtmx_server.trackers",
        "rhtmx_server.delivery",
        "rhtmx_server.transports",
        "rhtmx_server.buses",
    ),
    "rhtmx_server.transports": (
        "rhtmx_server.trackers",
        "rhtmx_server.forms",
        "rhtmx_server.buses",
        *STORES,
    ),
    "rhtmx.patterns": (*PURE, *SHELL_ROOMS, "rhtmx.core", "rhtmx.wire", "google"),
    "rhtmx.schema": (*PURE, *SHELL_ROOMS, "rhtmx.core", "rhtmx.wire", "google"),
    "rhtmx_codegen": (*PURE, *SHELL_ROOMS, "rhtmx.core", "rhtmx_server", "codegen"),
    "rhtmx": ("rhtmx_server", "codegen"),
    "rhtmx_server": ("rhtmx_codegen", "codegen"),
    "codegen": ("rhtmx_server", "rhtmx_codegen", "rhtmx"),
}
"""Room → what it never imports."""

COMPOSERS = (
    "rhtmx_server.storage",
    "rhtmx_server.cli.copying",
    "rhtmx_server.stores",
    "rhtmx_server",
    "rhtmx.api.connect",
)
"""Who may name concrete stores: the composition roots, themselves, the public face."""


def ours(each: Import) -> bool:
    return any(within(each.imported, package) for package in OURS)


@pytest.mark.parametrize("room", NEVER)
def test_a_room_never_imports_what_it_must_not_know(room: str) -> None:
    broken = [
        str(each)
        for each in IMPORTS
        if within(each.module, room) and any(within(each.imported, no) for no in NEVER[room])
    ]
    assert broken == []


def test_the_messages_import_nothing_else_of_ours() -> None:
    broken = [
        str(each)
        for source in SOURCES
        if within(source.module, "rhtmx.messages")
        for each in source.imports()
        if ours(each) and not within(each.imported, "rhtmx.messages")
    ]
    assert broken == []


def test_the_schema_of_an_application_needs_of_the_client_only_errors_and_values() -> None:
    """It runs on both sides, and where there is no server at all."""
    shared = ("rhtmx.schema", "rhtmx.patterns", "rhtmx.errors", "rhtmx.values", "rhtmx.messages")
    broken = [
        str(each)
        for each in IMPORTS
        if within(each.module, "rhtmx.schema") and ours(each)
        if not any(within(each.imported, room) for room in shared)
    ]
    assert broken == []


def test_patterns_need_nothing_of_ours() -> None:
    broken = [
        str(each)
        for each in IMPORTS
        if within(each.module, "rhtmx.patterns") and ours(each)
        if not within(each.imported, "rhtmx.patterns")
    ]
    assert broken == []


def test_only_the_command_that_is_asked_for_it_loads_the_compiler() -> None:
    callers = {
        each.module
        for each in IMPORTS
        if within(each.imported, "rhtmx_codegen") and not within(each.module, "rhtmx_codegen")
    }
    assert callers == {"rhtmx.cli.compiling"}


def test_only_what_speaks_to_assistants_loads_their_package() -> None:
    callers = {
        each.module for each in IMPORTS if any(within(each.imported, name) for name in PROTOCOL)
    }
    assert callers == {"rhtmx.mcp.stdio"}
    callers = {each.module for each in IMPORTS if within(each.imported, "rhtmx.mcp.stdio")}
    assert callers == {"rhtmx.cli.assistant"}


def test_the_compiler_takes_of_the_client_package_only_what_is_pure() -> None:
    shared = ("rhtmx.patterns", "rhtmx.schema", "rhtmx.wire.limits", "rhtmx.errors")
    broken = [
        str(each)
        for each in IMPORTS
        if within(each.module, "rhtmx_codegen") and within(each.imported, "rhtmx")
        if not any(within(each.imported, room) for room in shared)
    ]
    assert broken == []


def test_the_compiler_touches_the_disk_in_few_places() -> None:
    disk = ("subprocess", "tempfile", "shutil", "os", "pathlib")
    shells = ("buf", "command", "files", "plugin", "sources")
    broken = [
        str(each)
        for each in IMPORTS
        if within(each.module, "rhtmx_codegen")
        and any(within(each.imported, no) for no in disk)
        and each.module not in {f"rhtmx_codegen.{shell}" for shell in shells}
    ]
    assert broken == []


def test_the_server_takes_of_the_client_package_only_what_both_sides_speak_of() -> None:
    """What both speak of: messages, errors, the wire, schemas, and the values on either side."""
    names = (
        "changes",
        "field_operations",
        "form_value",
        "history",
        "json_value",
        "members",
        "operations",
        "reset",
        "results",
        "transaction_writes",
        "uuid7",
    )
    values = [f"rhtmx.values.{name}" for name in names]
    schema = ("rhtmx.patterns", "rhtmx.schema")
    shared = ("rhtmx.messages", "rhtmx.errors", "rhtmx.version", "rhtmx.wire", *schema, *values)
    broken = [
        str(each)
        for each in IMPORTS
        if within(each.module, "rhtmx_server") and within(each.imported, "rhtmx")
        if not within(each.module, "rhtmx_server.testing")  # which has clients of its own
        # `from rhtmx import wire` is seen as `rhtmx.wire`.
        if not any(within(each.imported, room) for room in shared)
    ]
    assert broken == []


def test_only_the_composition_root_knows_concrete_stores() -> None:
    broken = [
        str(each)
        for each in IMPORTS
        if any(within(each.imported, store) for store in STORES)
        and each.module not in COMPOSERS
        and not any(within(each.module, room) for room in ("rhtmx_server.stores", "rhtmx.stores"))
    ]
    assert broken == []


def test_nothing_but_tests_loads_what_is_for_tests() -> None:
    broken = [
        str(each)
        for each in IMPORTS
        if within(each.imported, "rhtmx_server.testing") or within(each.imported, "pytest")
        if not within(each.module, "rhtmx_server.testing")
    ]
    assert broken == []


def running() -> dict[str, set[str]]:
    """Who imports whom, when it runs. The generated messages hang together as they want."""
    graph: dict[str, set[str]] = {module: set() for module in MODULES}
    for each in IMPORTS:
        if each.imported in MODULES and not each.only_types:
            graph[each.module].add(each.imported)
    return graph


def test_imports_run_one_way() -> None:
    assert circles(running()) == []


def test_nothing_runs_against_the_stream_not_even_for_its_types() -> None:
    graph = running()
    types = [each for each in IMPORTS if each.only_types and each.imported in MODULES]
    found = {(e.module, e.imported) for e in types if e.module in reach(graph, e.imported)}
    assert found == set()


def reach(graph: dict[str, set[str]], start: str) -> set[str]:
    """Everything that a module imports, over any number of steps."""
    reached: set[str] = set()
    ahead = {start}
    while ahead:
        reached |= ahead
        ahead = {target for module in ahead for target in graph[module]} - reached
    return reached


def circles(graph: dict[str, set[str]]) -> list[str]:
    """The circles in a graph, each as a path back to where it begins."""
    found: list[str] = []
    done: set[str] = set()

    def walk(module: str, path: list[str]) -> None:
        if module in path:
            found.append(" -> ".join([*path[path.index(module) :], module]))
        elif module not in done:
            for target in sorted(graph[module]):
                walk(target, [*path, module])
            done.add(module)

    for module in sorted(graph):
        walk(module, [])
    return found


def test_a_circle_is_seen() -> None:
    graph: dict[str, set[str]] = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"d"}}
    assert circles(graph) == ["b -> c -> b", "d -> d"]


def test_the_laws_are_about_modules_that_exist() -> None:
    """A law about a room that was renamed guards nothing."""
    assert {room for room in NEVER if room not in MODULES and not _folder(room)} == set()
    assert len(IMPORTS) > 100


def _folder(room: str) -> bool:
    return any(within(module, room) for module in MODULES)
