"""Lives of clients that edit records which are written as a whole, offline and over restarts."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

import rhtmx
from rhtmx import ErrorCode, RhtmxError, TypedCollection
from rhtmx_server import App, Config
from tests.support.sample_schema import loaded
from tests.support.waiting import eventually

S = loaded()
IDS = ("1", "2")


class Author:
    """A program that writes, and may end and begin again."""

    def __init__(self, url: str, store: Path, random: Random) -> None:
        self._url, self._store, self._random = url, store, random
        self._reads = random.random() < 0.5

    async def begin(self) -> None:
        self.client = rhtmx.connect(self._url, store=self._store)
        await self.client.__aenter__()
        self.readings: TypedCollection[Any] = self.client.of(S.Reading)
        if self._reads:
            await self.readings.synced()

    async def end(self) -> None:
        await self.client.saved()
        await self.client.__aexit__(None, None, None)

    async def act(self) -> None:
        entity_id, number = self._random.choice(IDS), self._random.randint(0, 90)
        match self._random.randint(0, 9):
            case 0:
                self.readings.create(S.Reading(station="x"), entity_id)
            case 1:
                self.client.offline()
            case 2 | 3:
                self.client.online()
            case 4:
                await self.client.saved()
            case 5 if number < 20:
                await self.end()
                await self.begin()
            case _:
                try:
                    self.readings.edit(entity_id, degrees=float(number))
                except RhtmxError as error:  # not known here, which it says at once
                    if error.code is not ErrorCode.NOT_FOUND:
                        raise

    async def rest(self, app: App) -> None:
        """All that waits is answered, and what is there is shown."""
        self.client.online()
        await eventually(lambda: not self.client.queue)
        await self.readings.synced()
        found = [await app.changes.get("reading", each) for each in IDS]
        there = {each.entity_id: each.data for each in found if each is not None}
        await eventually(lambda: {row.id: row.data for row in self.readings.raw.all()} == there)


@pytest.mark.parametrize("seed", range(20))
async def test_only_what_somebody_else_wrote_is_a_conflict(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    app = App(store="memory://", config=Config(port=0))
    app.entity("reading", fields=False)
    async with app:
        stores = [tmp_path / f"{each}.db" for each in range(seed % 2 + 1)]
        authors = [Author(app.url, store, random) for store in stores]
        for each in authors:
            await each.begin()
        for _ in range(40):
            await random.choice(authors).act()
        for each in authors:
            await each.rest(app)
        if len(authors) == 1:
            # What is there is not created, nor what was written on top of that.
            words = [each.error.message for each in authors[0].client.rejected]
            assert [each for each in words if "exists already" not in each] == []
        for each in authors:
            await each.end()
