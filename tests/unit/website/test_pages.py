"""Which files the site is made from."""

from __future__ import annotations

import pytest

from website.pages import adapted, linked, reachable


@pytest.mark.parametrize(
    ("name", "text", "targets"),
    [
        ("README.md", "[a](docs/a.md) and ![b](docs/b.png)", ["docs/a.md", "docs/b.png"]),
        ("docs/a.md", "[up](../README.md#tests)", ["README.md"]),
        ("docs/a.md", "[here](#tests) [away](https://example.com/a.md)", []),
        ("docs/a.md", "- a list\n\n  ```md\n  [a](b.md)\n  ```\n", []),
    ],
)
def test_a_link_leads_to_a_file_of_the_repository(name: str, text: str, targets: list[str]) -> None:
    assert linked(name, text) == targets


def test_pages_in_a_circle_are_found_once_and_pictures_are_not_read() -> None:
    pages = {"a.md": "[b](x/b.md)", "x/b.md": "[a](../a.md) ![c](c.svg)"}
    assert reachable(("a.md",), pages.__getitem__) == ["a.md", "x/b.md", "x/c.svg"]


def test_a_page_that_nothing_links_to_is_not_part_of_it() -> None:
    assert reachable(("a.md",), {"a.md": "", "b.md": ""}.__getitem__) == ["a.md"]


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("[`State`](#state-2)", "[`State`](#state_2)"),
        ("[`Row`](client.md#row-1)", "[`Row`](client.md#row_1)"),
        ("[a](#property-id-1) [b](#type-parameter-t-3)",) * 2,
        ("[a](b-1.md) and (#4-2)",) * 2,
        (r"`Row`\<`T`\>", "`Row`&lt;`T`&gt;"),
    ],
)
def test_a_page_of_typedoc_is_one_for_python_markdown(text: str, page: str) -> None:
    assert adapted(text) == page
