"""The figures and names on the page of guarantees are those of the code."""

from __future__ import annotations

import importlib

from rhtmx.messages.tables import ERRORS, MERGE_STRATEGY_SPELLINGS
from rhtmx_server.config import Config
from tests.docs.markdown import page, rows

PAGE = page("docs/guarantees.md")


def bare(cell: str) -> str:
    return cell.strip("`")


def test_every_limit_has_its_default() -> None:
    limits = {bare(row["setting"]): row["default"] for row in rows(PAGE, "setting", "default")}
    config = Config()
    assert limits == {name: f"{getattr(config, name):.0f}" for name in limits}
    assert {"max_size", "outbox", "subscriptions", "heartbeat", "tombstone_days"} <= set(limits)


def test_every_fixed_limit_is_a_constant_of_that_value() -> None:
    fixed = {bare(row["constant"]): row["value"] for row in rows(PAGE, "constant", "value")}
    assert len(fixed) == 21
    for path, value in fixed.items():
        module, _, name = path.rpartition(".")
        assert str(getattr(importlib.import_module(module), name)) == value


def test_every_merge_strategy_is_explained() -> None:
    explained = [bare(row["strategy"]) for row in rows(PAGE, "strategy")]
    assert explained == list(MERGE_STRATEGY_SPELLINGS.values())


def test_the_close_codes_are_those_of_the_error_codes() -> None:
    codes = {traits.spelling: traits.close_code for traits in ERRORS.values()}
    assert f"`too_large`, close code {codes['too_large']}" in PAGE
    ends = next(row for row in rows(PAGE, "setting") if row["setting"] == "`bad_messages`")
    assert ends["beyond it"] == f"close code {codes['bad_message']}"


def test_every_promise_names_tests() -> None:
    promises = list(rows(PAGE, "promise", "shown by"))
    assert promises
    assert all("tests/" in row["shown by"] for row in promises)
