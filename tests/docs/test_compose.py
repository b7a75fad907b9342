"""What docs/compose says goes together, and the server knows its options."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest

from rhtmx_server.cli.table import GROUPS
from rhtmx_server.config import Config
from rhtmx_server.storage import open_storage
from tests.support.nginx import CONFIG
from tests.support.process import ROOT

FOLDER = ROOT / "docs" / "compose"
NODES = ("node-a", "node-b")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of compose.yaml, what is merged in with them."""
    yaml = pytest.importorskip("yaml", reason="no PyYAML: install the group `test`")
    document = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    found: dict[str, Any] = document["services"]
    return found


def test_the_server_knows_all_of_its_options(services: dict[str, Any]) -> None:
    known = {each.variable for each in chain.from_iterable(GROUPS.values())}
    for name in NODES:
        given = services[name]["environment"]
        assert given.keys() <= known
        assert all(isinstance(value, str) for value in given.values())
        assert open_storage(given["RHTMX_STORE"], given["RHTMX_BUS"]).shared is not None
        most = int(given["RHTMX_CONNECTIONS_PER_ADDRESS"])
        assert most == Config().connections  # all come from one address


def test_the_nodes_differ_by_their_names_only(services: dict[str, Any]) -> None:
    one, other = (services[name] for name in NODES)
    names = [each["environment"].pop("RHTMX_NODE_NAME") for each in (one, other)]
    assert names == ["a", "b"]
    assert one == other


def test_what_it_names_is_there(services: dict[str, Any]) -> None:
    waited_for = {name for each in services.values() for name in each.get("depends_on", ())}
    assert waited_for == {"postgres", "nats", *NODES}
    assert waited_for <= services.keys()
    build = services["node-a"]["build"]
    context = (FOLDER / build["context"]).resolve()
    assert context == ROOT
    assert (context / build["dockerfile"]).is_file()
    (mounted,) = services["nginx"]["volumes"]
    assert (FOLDER / mounted.partition(":")[0]).resolve() == CONFIG
    text = CONFIG.read_text(encoding="utf-8")
    assert all(f"server {name}:{Config().port} " in text for name in NODES)


def test_a_node_has_longer_to_stop_than_it_takes(services: dict[str, Any]) -> None:
    grace = services["node-a"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > Config().stop_timeout
