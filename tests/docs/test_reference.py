"""Every public name of both languages is on the site, and every page of it can be found there.

`nox -s docs` builds the site and looks at what came of it; here it is what it is built from.
"""

from __future__ import annotations

import importlib
import json
import re
import tomllib
from pathlib import Path

import pytest

import rhtmx
import rhtmx_server
from tests.docs.markdown import ROOT, page
from website.pages import ROOTS, linked, reachable

WEBSITE = ROOT / "website"
NPM = ("website", "clients/typescript")
ENTRIES = sorted((WEBSITE / "entries").glob("*.ts"))
NAMED = [
    name
    for each in sorted((WEBSITE / "python").glob("*.md"))
    for name in re.findall(r"^::: (\S+)$", each.read_text(encoding="utf-8"), re.MULTILINE)
]
"""What the pages of the reference for Python describe."""
NAVIGATION = re.findall(r"^ +- (?:[^:\n]+: )?(\S+\.md)$", page("website/mkdocs.yml"), re.MULTILINE)


def described(name: str) -> object:
    """What a name on the pages stands for."""
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def test_a_named_tuple_has_attributes() -> None:
    """Griffe sees no signature in it, so the site is not built with a list of arguments."""
    classes = [each for each in map(described, NAMED) if isinstance(each, type)]
    tuples = [each for each in classes if issubclass(each, tuple)]
    assert tuples
    assert [each for each in tuples if "    Args:" in (each.__doc__ or "")] == []


@pytest.mark.parametrize("package", [rhtmx, rhtmx_server], ids=lambda package: package.__name__)
def test_every_public_name_is_described_once(package: object) -> None:
    on_pages = [described(name) for name in NAMED]
    public = {name: getattr(package, name) for name in getattr(package, "__all__")}  # noqa: B009
    times = {name: sum(each is value for each in on_pages) for name, value in public.items()}
    assert {name: number for name, number in times.items() if number != 1} == {}


def test_what_the_app_gives_is_described_under_its_own_name() -> None:
    app = rhtmx_server.App(store="memory://")
    assert type(app.form("f")) in {described(name) for name in NAMED}
    for name in ("changes", "fields"):
        returned = getattr(rhtmx_server.App, name).fget.__annotations__["return"]
        assert returned in {named.rpartition(".")[2] for named in NAMED}
    assert type(app.transaction()) in {described(name) for name in NAMED}


def test_what_is_shown_without_its_arguments_is_there() -> None:
    made = re.findall(r"^ +- (rhtmx\S+)$", page("website/mkdocs.yml"), re.MULTILINE)
    assert len(made) == 14
    assert all(isinstance(described(name), type) for name in made)


def test_every_entry_point_of_the_npm_package_is_described() -> None:
    exports = json.loads(page("clients/typescript/package.json"))["exports"]
    sources = {
        each["types"].replace("./dist", "clients/typescript/src").replace(".d.ts", ".ts")
        for each in exports.values()
    }
    text = "".join(each.read_text(encoding="utf-8") for each in ENTRIES)
    described = set(re.findall(r'^export \* from "\.\./\.\./(.+)";$', text, re.MULTILINE))
    assert sources <= described
    assert json.loads(page("website/typedoc.json"))["entryPoints"] == [
        f"entries/{name}.ts"
        for name in ("messages", "client", "forms", "htmx", "react", "schema", "testing")
    ]
    assert len(ENTRIES) == 7


def test_no_entry_point_links_to_a_page() -> None:
    """TypeDoc would look for it beside the entry point, and copy it: the table before does it."""
    for entry in ENTRIES:
        assert linked(entry.name, entry.read_text(encoding="utf-8")) == []


def test_typedoc_refuses_what_has_no_comment_links_nowhere_or_is_used_and_not_exported() -> None:
    options = json.loads(page("website/typedoc.json"))
    assert options["treatWarningsAsErrors"]
    assert options["validation"] == {
        "notExported": True,
        "invalidLink": True,
        "notDocumented": True,
    }
    # It only minds those of the package that it is called from.
    names = {json.loads(page(f"{folder}/package.json"))["name"] for folder in NPM}
    assert len(names) == 1


def test_the_navigation_has_every_page_and_no_other() -> None:
    own = {str(each.relative_to(WEBSITE)) for each in WEBSITE.glob("[pt]*/*.md")}
    own |= {f"typescript/{each.stem}.md" for each in ENTRIES}
    pages = {name for name in reachable(ROOTS, page_or_nothing) if name.endswith(".md")}
    aside = {name for name in pages if re.match(r"docs/decisions/\d|tests/", name)}
    assert len(NAVIGATION) == len(set(NAVIGATION))
    assert set(NAVIGATION) == own | (pages - aside)


def page_or_nothing(name: str) -> str:
    path = Path(ROOT / name)
    return path.read_text(encoding="utf-8") if path.suffix == ".md" else ""


def test_the_tools_are_pinned_and_nobody_else_installs_them() -> None:
    groups = tomllib.loads(page("pyproject.toml"))["dependency-groups"]
    assert all("==" in each for each in groups["docs"])
    tools = json.loads(page("website/package.json"))["devDependencies"]
    assert all(re.fullmatch(r"[\d.]+", version) for version in tools.values())
    others = str([group for name, group in groups.items() if name != "docs"])
    assert "zensical" not in others
    assert "mkdocstrings-python" not in others
    client = json.loads(page("clients/typescript/package.json"))["devDependencies"]
    assert not {"typedoc", "typedoc-plugin-markdown"} & client.keys()
