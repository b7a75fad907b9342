"""What the manual shows of writes from one's own SQL works as it stands there."""

from __future__ import annotations

import re

from rhtmx_server.sql_writes import EVERYTHING
from rhtmx_server.stores.postgres import PostgresStore
from tests.docs.markdown import page
from tests.support.application import Application
from tests.support.postgres import Postgres


async def test_the_examples_run_with_the_rights_that_are_granted(postgres: Postgres) -> None:
    place = postgres.place()
    schema = place.rpartition("=")[2]
    section = page("docs/operations.md").partition("### Written from your own SQL")[2]
    blocks = re.findall(r"```sql\n(.*?)```", section.partition("\n### ")[0], re.DOTALL)
    transaction, trigger, grants, rejected = (
        block.replace("rhtmx.", f"{schema}.").replace("SCHEMA rhtmx", f"SCHEMA {schema}")
        for block in blocks
    )
    store = PostgresStore(place)
    await store.open()
    postgres.sql("CREATE ROLE shop LOGIN; CREATE SCHEMA AUTHORIZATION shop")
    postgres.sql(grants)
    async with Application.at(place, role="shop") as shop:
        await shop.run("CREATE TABLE shop_orders(id text PRIMARY KEY, state text)")
        await shop.run("INSERT INTO shop_orders VALUES ('7', 'new')")
        await shop.run(transaction)
        await shop.run(trigger)
        await shop.run("UPDATE shop_orders SET state = 'sent'")
        await shop.run("DELETE FROM shop_orders")
    look = await store.sql_look(EVERYTHING)
    writes = (await store.sql_page(look.transactions, 9)).writes
    assert [(each.kind, each.data) for each in writes] == [
        ("push_fields", b'{"state": "paid"}'),
        ("push", b'{"state": "sent"}'),
        ("delete", None),
    ]
    await store.sql_reject({each.id: "because" for each in writes})
    postgres.sql(rejected)
    await store.close()
