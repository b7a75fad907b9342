"""A warehouse that packs what is ordered, as long as there is enough of it.

What is packed, and what it takes from the stock, is one transaction: it happens once, also if
several warehouses run, or this one is stopped in between.
"""

import asyncio
import uuid
from itertools import count

import rhtmx
from rhtmx import Change, ConnectionClosed, ErrorCode, Increment, RhtmxError


class Warehouse:
    """Packs orders.

    Args:
        desk: the server of the order desk.
    """

    def __init__(self, desk: rhtmx.Backend) -> None:
        self._desk = desk
        self._open: dict[str, Change] = {}
        self._news = asyncio.Event()
        self._numbers = count(1)

    async def read_orders(self) -> None:
        """Keep those orders in mind that are not packed."""
        async for change in self._desk.watch("orders", since=0):
            if change.data is None or change.data.get("packed"):
                self._open.pop(change.entity_id, None)
            else:
                self._open[change.entity_id] = change
                self._news.set()

    async def read_stock(self) -> None:
        """Look again when something has been counted: there may be enough now."""
        async for _ in self._desk.watch("stock"):
            self._news.set()

    async def pack(self) -> None:
        """Pack what can be packed, whenever there is something new."""
        while await self._news.wait():
            self._news.clear()
            for order in list(self._open.values()):
                await self._pack(order)

    async def _pack(self, order: Change) -> None:
        """Pack one order, unless it has changed, or there is not enough of the goods."""
        try:
            async with self._desk.transaction(seq=next(self._numbers)) as packed:
                packed.patch(
                    "orders",
                    order.entity_id,
                    {"packed": True},
                    base_version=order.version,
                    if_unchanged=True,
                )
                taken = {"counted": Increment(-order.data["count"])}
                packed.patch("stock", order.data["goods"], taken)
        except ConnectionClosed:  # it may be packed: another attempt finds out
            await asyncio.sleep(1)
            self._news.set()
        except RhtmxError as error:
            if error.code not in (ErrorCode.CONFLICT, ErrorCode.INVALID):
                raise


async def work(address: str, token: str) -> None:
    """Pack orders until it is stopped.

    Args:
        address: the gRPC port of the order desk.
        token: by which the desk knows the warehouse.
    """
    async with rhtmx.backend(address, client_id=str(uuid.uuid4()), token=token) as desk:
        warehouse = Warehouse(desk)
        async with asyncio.TaskGroup() as all_of_it:
            all_of_it.create_task(warehouse.read_orders())
            all_of_it.create_task(warehouse.read_stock())
            all_of_it.create_task(warehouse.pack())
