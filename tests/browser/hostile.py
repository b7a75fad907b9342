"""Strings that want to run: in HTML, in a URL, in a script, in a template, in a selector.

Each would set the global `pwned`, open a dialog, make an element or ask the
server for something with `pwned` in it, were it taken for anything but text.
"""

from __future__ import annotations

import asyncio

from rhtmx import Client

__all__ = ["HOSTILE", "push_hostile"]

_RUNS = ("alert(1)", "pwned=1", "fetch('/pwned')")

_TAGS = (
    "<script>{}</script>",
    "</script><script>{}</script>",
    "<SCRIPT SRC=/pwned.js></SCRIPT><script>{}</script>",
    "<img src=x onerror={}>",
    '"><img src=x onerror="{}">',
    "'><img src='/pwned.png' onerror='{}'>",
    "<svg onload={}>",
    "<svg><script>{}</script></svg>",
    "<svg><animate onbegin={} attributeName=x dur=1s>",
    "<body onload={}>",
    "<iframe srcdoc='<script>parent.{}</script>'></iframe>",
    '<iframe src="javascript:{}"></iframe>',
    '<a href="javascript:{}" autofocus onfocus={}>x</a>',
    "<input autofocus onfocus={}>",
    "<textarea autofocus onfocus={}></textarea>",
    "</textarea><img src=x onerror={}>",
    "</title><script>{}</script>",
    "</template><script>{}</script>",
    "</li></ul><script>{}</script>",
    "<details open ontoggle={}>",
    "<video><source onerror={}></video>",
    "<object data='javascript:{}'></object>",
    "<math><mtext><img src=x onerror={}></mtext></math>",
    "<style>@import '/pwned.css';</style><script>{}</script>",
    "<link rel=stylesheet href=/pwned.css onload={}>",
    "<meta http-equiv=refresh content='0;url=javascript:{}'>",
    "<base href=/pwned/><script>{}</script>",
    "<form action=javascript:{}><button autofocus>x</button></form>",
)

_OTHERS = (
    "javascript:alert(1)",
    "JaVaScRiPt:pwned=1//",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:alert(1)",
    "//pwned.example/x.js",
    "/pwned",
    '" onmouseover="pwned=1" x="',
    "' autofocus onfocus='pwned=1' x='",
    "`${pwned=1}`",
    "${alert(1)}",
    "{{constructor.constructor('pwned=1')()}}",
    "<%= pwned=1 %>",
    "#{pwned=1}",
    "';pwned=1;//",
    '";alert(1);//',
    '\\";pwned=1;//',
    "*/pwned=1/*",
    '"], [onerror="pwned=1',
    "&lt;script&gt;pwned=1&lt;/script&gt;",
    "&#60;img src=x onerror=pwned=1&#62;",
    "%3Cscript%3Epwned=1%3C/script%3E",
    "\\u003cscript\\u003epwned=1\\u003c/script\\u003e",
    "<img src=x onerror=pwned=1",
    "<<script>pwned=1//<</script>",
    "<!--><script>pwned=1</script>-->",
    "<![CDATA[<script>pwned=1</script>]]>",
    "\u2028<script>pwned=1</script>\u2029",
    "\u202e<script>pwned=1</script>",
    "\ufeff<script>pwned=1</script>",
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
)

_TEMPLATED = [tag.replace("{}", run) for run in _RUNS for tag in _TAGS]

HOSTILE = [*_OTHERS, *_TEMPLATED][:100]


async def push_hostile(client: Client) -> None:
    """Push them into every field that is shown and takes a text, and into the ids.

    A task of each and a member of each. The first ten tasks have an attachment
    that leaves no room for longer notes, so that those are refused.
    """
    await asyncio.gather(
        *(_task(client, number, text) for number, text in enumerate(HOSTILE)),
        *(_member(client, number, text) for number, text in enumerate(HOSTILE)),
    )


async def _task(client: Client, number: int, text: str) -> None:
    column = ("todo", "doing", "done")[number % 3]
    task = {"title": text, "assignee": text, "notes": f"Notes: {text}", "column": column}
    if number < 10:
        task["attachment"] = "x" * 62_000
    await client.push("tasks", f"{number:03} {text}", task)


async def _member(client: Client, number: int, text: str) -> None:
    joined = f"2026-01-01T00:{number // 60:02}:{number % 60:02}Z"
    await client.push("members", text, {"joined": joined})
