"""The picture of the rooms, made from the imports: `python -m tests.house.picture` draws it anew.

Knows which folder is a room, and SVG. Must not know what is in a room.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tests.house.source import IMPORTS, MODULES, ROOT, WRITTEN, within

PICTURE = ROOT / "docs" / "architecture.svg"

TOP = ("app", "cluster", "composition", "hooks", "lifecycle", "server", "storage", "upkeep")
"""What lies at the root of the server and puts it together; the rest there is what all know."""

WIDTH, HEIGHT = 106, 32
ACROSS, DOWN = 124, 68
MARGIN = 24


def room_of(module: str) -> str | None:
    """The room that a module is in; `None` for what is drawn nowhere.

    >>> room_of("rhtmx.core.session"), room_of("rhtmx_server.app"), room_of("rhtmx_server.model")
    ('rhtmx/core', 'rhtmx_server', 'rhtmx_server/model …')
    """
    package, _, rest = module.partition(".")
    first, _, inner = rest.partition(".")
    if package.endswith("codegen") or first == "__main__" or within(module, "rhtmx_server.demo"):
        return None
    if inner or (first and _has_modules(module)):
        return f"{package}/{first}"
    if package == "rhtmx":
        return "rhtmx/errors …" if first else None
    return "rhtmx_server" if not first or first in TOP else "rhtmx_server/model …"


def _has_modules(module: str) -> bool:
    return any(each.startswith(f"{module}.") for each in MODULES)


def rooms() -> dict[str, set[str]]:
    """Who imports from whom, room by room."""
    found: dict[str, set[str]] = {}
    for source in WRITTEN:
        if (room := room_of(source.module)) is not None:
            found.setdefault(room, set())
    for each in IMPORTS:
        here, there = room_of(each.module), room_of(each.imported)
        if here and there and here != there and each.imported in MODULES and not each.only_types:
            found[here].add(there)
            found.setdefault(there, set())
    return found


def floors(graph: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """How high each room lies: one above the highest that it imports from."""
    known: dict[str, int] = {}

    def height(room: str, above: tuple[str, ...] = ()) -> int:
        assert room not in above, f"a circle of rooms: {' -> '.join((*above, room))}"
        if room not in known:
            below = [height(each, (*above, room)) for each in graph[room]]
            known[room] = 1 + max(below, default=0)
        return known[room]

    for room in graph:
        height(room)
    return known


def needed(graph: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
    """The arrows to draw: those that do not follow from others."""
    for here, below in sorted(graph.items()):
        through = {each for there in below for each in _reached(graph, there)}
        yield from ((here, there) for there in sorted(below - through))


def _reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    return graph[start].union(*(_reached(graph, each) for each in graph[start]))


def draw() -> str:
    """The picture, as SVG: the client's rooms at the left, the server's at the right."""
    graph = rooms()
    heights = floors(graph)
    top = max(heights.values())
    place: dict[str, tuple[float, float]] = {}
    left = 0.0
    for package in ("rhtmx", "rhtmx_server"):
        mine = [room for room in graph if room.partition("/")[0] == package]
        by_floor = {
            floor: sorted(r for r in mine if heights[r] == floor) for floor in heights.values()
        }
        wide = ACROSS * max(map(len, by_floor.values()))
        for floor, names in by_floor.items():
            start = left + (wide - ACROSS * (len(names) - 1)) / 2
            for index, name in enumerate(names):
                place[name] = (start + ACROSS * index, MARGIN + HEIGHT / 2 + DOWN * (top - floor))
        left += wide
    lines = [
        f'<line x1="{place[here][0]:g}" y1="{place[here][1] + HEIGHT / 2:g}" '
        f'x2="{place[there][0]:g}" y2="{place[there][1] - HEIGHT / 2:g}" />'
        for here, there in needed(graph)
    ]
    boxes = [
        f'<rect x="{x - WIDTH / 2:g}" y="{y - HEIGHT / 2:g}" width="{WIDTH}" height="{HEIGHT}" '
        f'rx="6" class="{name.partition("/")[0]}" />'
        f'<text x="{x:g}" y="{y + 4:g}">{_short(name)}</text>'
        for name, (x, y) in sorted(place.items())
    ]
    high = MARGIN * 2 + DOWN * (top - 1) + HEIGHT
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left:g} {high:g}" role="img">',
            "<title>The rooms, and who imports from whom: always downward</title>",
            "<style>svg{background:#fff}text{font:12px sans-serif;text-anchor:middle;fill:#111}"
            "line{stroke:#999;stroke-width:1}rect{stroke:#333}"
            ".rhtmx{fill:#dbeafe}.rhtmx_server{fill:#dcfce7}</style>",
            *lines,
            *boxes,
            "</svg>\n",
        ]
    )


def _short(name: str) -> str:
    package, _, room = name.partition("/")
    return f"{room}/" if room and not room.endswith("…") else room or package


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
