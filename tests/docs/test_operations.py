"""What the page for operators says about options, metrics and backups is so."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
from itertools import chain
from pathlib import Path

import rhtmx
from rhtmx.messages.tables import ERRORS
from rhtmx.values.form_value import FormValue
from rhtmx_server import App, Config, ErrorCode, File
from rhtmx_server.cli.table import GROUPS
from rhtmx_server.forms.rule_set import Rules
from rhtmx_server.metrics import Metrics
from tests.docs.markdown import blocks, page, programs, rows
from tests.support.process import ran
from tests.support.sockets import raw

PAGE = page("docs/operations.md")


def test_every_option_is_listed_with_its_variable_and_default() -> None:
    listed = [(row["option"], row["variable"], row["default"]) for row in rows(PAGE, "option")]
    assert listed == [
        (f"`{option.flag}`", f"`{option.variable}`", option.help.rpartition("(default: ")[2][:-1])
        for option in chain.from_iterable(GROUPS.values())
    ]


def test_every_metric_is_listed_under_the_name_that_it_is_scraped_by() -> None:
    families = [f for f in Metrics().registry.collect() if f.name.startswith("rhtmx_")]
    names = {f.name + "_total" if f.type == "counter" else f.name for f in families}
    assert {row["metric"].strip("`") for row in rows(PAGE, "metric")} == names


def test_the_server_closes_with_the_code_that_is_said() -> None:
    assert f"close code {ERRORS[ErrorCode.SHUTTING_DOWN].close_code})" in PAGE


def test_every_ready_made_rule_is_listed() -> None:
    listed = [name for row in rows(PAGE, "rule") for name in re.findall(r"`(\w+)`", row["rule"])]
    assert sorted(listed) == sorted(Rules.__annotations__)


async def test_the_form_of_several_values_and_files_judges_as_described(tmp_path: Path) -> None:
    (tmp_path / "article.py").write_text(programs(PAGE)["article.py"][0])
    scope = runpy.run_path(str(tmp_path / "article.py"))
    app: App = scope["app"]
    app.configure(Config(port=0))
    photo = File("IMG_1.png", 3, "image/png")
    async with app, rhtmx.connect(app.url) as client:

        async def wrong(**values: FormValue) -> dict[str, str]:
            result = await client.validate_form("article", {"title": "x", **values})
            return {each.field: each.error for each in result.errors}

        assert await wrong(agree=["false", "true"], tags=["", "red", "blue"]) == {}
        assert await wrong(tags=["red", "red"]) == {"tags": "has one twice"}
        assert await wrong(tags=["red"] * 4) == {
            "tags": "has too many values: 4, at most 3 allowed"
        }
        assert await wrong(photo=photo, tags="blue") == {}
        assert list(await wrong(photo=photo, tags=["red", "blue"])) == ["photo"]
        assert list(await wrong(photo=File("a.pdf", 3))) == ["photo"]


async def run(folder: Path, *command: str) -> str:
    return (await ran(sys.executable, *command, folder=folder)).output


async def test_a_backup_restored_as_described_resets_every_client(tmp_path: Path) -> None:
    backup = next(b.text for b in blocks(PAGE) if ".backup" in b.text)
    python, *arguments = shlex.split(backup)
    assert python == "python"
    (tmp_path / "renew_epoch.py").write_text(programs(PAGE)["renew_epoch.py"][0])
    store, config = f"sqlite:///{tmp_path / 'app.db'}", Config(port=0)
    async with App(store=store, config=config) as app, raw(app.url) as client:
        await client.push("users", "1", {"n": 1})
        await run(tmp_path, *arguments)
        ack = await client.push("users", "2", {"n": 2})
        await client.push("users", "2", None)
    (tmp_path / "backup.db").replace(tmp_path / "app.db")
    epoch = (await run(tmp_path, "renew_epoch.py", "sqlite:///app.db")).split()[1]
    async with App(store=store, config=config) as app, raw(app.url) as client:
        sync = {"type": "sync", "entity": "users", "since": 1, "epoch": ack["epoch"]}
        done = await client.ask(sync, "sync_complete")
        assert (done["reset"], done["epoch"], done["version"]) == (True, epoch, 1)
        assert epoch != ack["epoch"]
