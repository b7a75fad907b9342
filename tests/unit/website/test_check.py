"""What is broken in the pages of the site."""

from __future__ import annotations

import pytest

from website.check import problems

SITE = {"index.html": "<h1 id='top'>A</h1>", "x/y.html": "<h2 id='ü b'>B</h2>"}
OTHERS = frozenset({"x/z.png", "style.css"})


@pytest.mark.parametrize(
    "html",
    [
        '<a href="index.html">a</a>',
        '<a href="x/y.html#%C3%BC%20b">a</a>',
        '<a href="#own">a</a> <p id="own"></p>',
        '<a href="/x/y.html">a</a>',
        '<a href="https://example.com">elsewhere, if the reader wants</a>',
        '<a href="mailto:a@b.c">a</a>',
        '<a name="no link">a</a>',
        '<img src="x/z.png">',
        '<img src="data:image/png;base64,AA">',
        '<link rel="stylesheet" href="style.css">',
        '<link rel="canonical" href="https://example.com/a.html">',
        "<script>location = 'nowhere'</script>",
    ],
)
def test_a_whole_page_has_no_problem(html: str) -> None:
    assert problems({**SITE, "a.html": html}, OTHERS) == []


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        ('<a href="b.html">a</a>', "no such file: b.html"),
        ('<a href="index.html#b">a</a>', "no such heading: index.html#b"),
        ('<a href="#b">a</a>', "no such heading: #b"),
        ('<a href="y.html">a</a>', "no such file: y.html"),
        ('<img src="z.png">', "no such file: z.png"),
        ('<script src="https://unpkg.com/a"></script>', "needs a network: https://unpkg.com/a"),
        ('<script src="//unpkg.com/a"></script>', "needs a network: //unpkg.com/a"),
        ('<link rel="stylesheet" href="http://a/b.css">', "needs a network: http://a/b.css"),
    ],
)
def test_what_is_broken_is_named_with_its_page(html: str, problem: str) -> None:
    assert problems({**SITE, "a.html": html}, OTHERS) == [f"a.html: {problem}"]


def test_links_are_followed_from_the_folder_of_their_page() -> None:
    page = '<a href="y.html">y</a> <img src="z.png"> <a href="../index.html#top">a</a>'
    assert problems({**SITE, "x/a.html": page}, OTHERS) == []
