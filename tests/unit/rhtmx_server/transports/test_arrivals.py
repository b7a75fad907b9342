"""Connections until they have said what they want."""

from __future__ import annotations

import asyncio
from typing import Any

from rhtmx_server.connections.admission import Admission
from rhtmx_server.transports.arrivals import Arrival, Arrivals


class Transport(asyncio.Transport):
    """One that is aborted or not."""

    aborted = False

    def abort(self) -> None:
        self.aborted = True


def unused(*_: Any) -> Any:
    raise AssertionError("nobody has said anything")


async def test_who_was_accepted_before_the_port_was_closed_and_comes_after_is_dropped() -> None:
    arrivals = Arrivals(Admission(), 5.0, unused, unused, unused, local=True)
    before, after = Transport(), Transport()
    Arrival(arrivals).connection_made(before)
    arrivals.close()
    Arrival(arrivals).connection_made(after)
    assert (before.aborted, after.aborted) == (True, True)
