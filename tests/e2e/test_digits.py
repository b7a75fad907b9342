"""An integer passes through every client and door to the digit."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest

import rhtmx
from rhtmx_server import App
from tests.support.process import ran
from tests.support.programs import TYPESCRIPT, node

PROGRAM = TYPESCRIPT / "tests" / "support" / "spread.mjs"

BIG = 2**53 + 1
VALUE: dict[str, Any] = {
    "name": "python",
    "votes": BIG,
    "deep": [{"votes": [-BIG, 2**64, 2**53 - 1]}, 10**307],
    "text": f"{BIG}",
    "ratio": 0.1 + 0.2,
    "large": 1e300,
}


@pytest.mark.parametrize("granularity", ["records", "fields"])
@pytest.mark.parametrize("form", ["json", "proto"])
async def test_what_python_wrote_comes_back_to_the_digit_when_typescript_changes_another_field(
    app: App, form: Literal["json", "proto"], granularity: str
) -> None:
    async with rhtmx.connect(app.url, format=form) as client:
        await client.push("tasks", "1", VALUE)
        await client.push("tasks", "2", {"name": "python"})
        ended = await ran(node("ws"), str(PROGRAM), app.url, form, granularity)
        said = json.loads(ended.output)
        assert (said["read"], said["type"]) == (str(BIG), "bigint")
        code, message = said["refused"]
        assert code == "bad_message"
        assert message.startswith("push.data.votes: 9007199254740994 cannot be written exactly")
        found = {each.entity_id: each.data for each in await client.sync("tasks")}
    patched = {"name": "python", "votes": BIG, "low": -BIG, "debt": -5}
    assert found == {"1": {**VALUE, "name": "set"}, "2": patched, "4": -0.5}
    assert repr(found["1"]["deep"]) == repr(VALUE["deep"])


@pytest.mark.parametrize("form", ["json", "proto"])
async def test_a_number_that_json_cannot_hold_is_refused_and_a_huge_one_is_not(
    app: App, form: Literal["json", "proto"]
) -> None:
    async with rhtmx.connect(app.url, format=form) as client:
        for value in (float("nan"), float("inf"), 10**400, 10**5000):
            with pytest.raises(rhtmx.RhtmxError, match=r"^push\.data"):
                await client.push("tasks", "1", {"x": value})
        await client.push("tasks", "1", {"x": 10**308})
        with pytest.raises(rhtmx.RhtmxError, match="nothing to write"):
            await client.push_fields("tasks", "1", {})
        (found,) = await client.sync("tasks")
    assert found.data == {"x": 10**308}
