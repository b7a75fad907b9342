"""How PostgreSQL finds rows while its tables are empty: a plan that is kept must suit full ones."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from rhtmx_server.stores.postgres import PostgresStore, looking, members, outbox, reading
from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import Postgres

LOOK = looking.arguments([("tasks", "1")], ["c"], [("c", 1)])
IN = ("tasks", ["red"], 0, 9, 10, 10, 1000, True)


@pytest.mark.parametrize("through", ["postgres", "pgbouncer"])
@pytest.mark.parametrize(
    ("statement", "asked", "indexes"),
    [
        (
            looking.LOOK,
            LOOK,
            "records_pkey entities_pkey log_pkey members_pkey clients_pkey outcomes_pkey meta_pkey",
        ),
        (members._IN, IN, "members_by_version members_pkey records_pkey"),
        (reading._SINCE_ALL, ("tasks", 0, 9, 10, 1000), "records_by_version"),
        (reading._RECORD, ("tasks", "1"), "records_pkey"),
        (reading._BODY_AT, ("tasks", 5), "log_pkey"),
        (reading._LOG, (["tasks"], [0], 500, 1000), "log_pkey"),
        (reading._HEADS_OF, (["tasks"],), "entities_pkey log_pkey"),
        (outbox._LOOK, ("1", ["0"], 10), "outbox_waiting"),
        (outbox._PAGE, (["1"], 10, 1000), "outbox_waiting"),
        (outbox._STILL_THERE, ([1],), "outbox_pkey"),
    ],
)
async def test_rows_are_found_by_their_keys(
    request: pytest.FixtureRequest,
    through: str,
    statement: str,
    asked: Sequence[object],
    indexes: str,
) -> None:
    server: Postgres | PgBouncer = request.getfixturevalue(through)
    store = PostgresStore(server.place(), shared=True)
    await store.open()
    rows = await store.query(lambda session: session.rows(f"EXPLAIN {statement}", *asked))
    await store.close()
    plan = "\n".join(line for (line,) in rows)
    assert set(re.findall(r"(?:using|Index Scan on) (\w+)", plan)) == set(indexes.split())
    assert "Seq Scan" not in plan
    outboxes = re.findall(r"outbox_waiting on .*\n\s+(\w+ \w+)", plan)
    assert outboxes == ["Index Cond"] * plan.count("outbox_waiting on")
    # By all of its columns, and not by the first of them and a filter.
    assert re.findall(r"Filter: .*entity_id.*", plan) == []
    for found in re.findall(r"records_pkey.*\n\s+Index Cond: (.*)", plan):
        assert "entity_id =" in found
