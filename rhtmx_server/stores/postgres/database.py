"""The connections to one database, and by what right it is used.

Knows connecting. Must not know statements of the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any

from rhtmx.errors import RhtmxError
from rhtmx_server.postgres_url import PostgresOptions
from rhtmx_server.stores.postgres.connecting import make_pool, pooled_transaction
from rhtmx_server.stores.postgres.failures import FAILED, failed, in_words
from rhtmx_server.stores.postgres.session import Session
from rhtmx_server.stores.postgres.tenure import SharedTenure, SoleTenure, Tenure

__all__ = ["Database"]

_CLOSING = 1.0
"""Seconds for what is still being read when it is closed."""

_NOT_OPENED: tuple[type[Exception], ...] = (*FAILED, ValueError)


class Database:
    """One schema of a PostgreSQL database.

    Args:
        url: as the driver takes it.
        options: how it is used.
        new_epoch: makes the id of a new store.
        shared: other servers use it, too.

    Attributes:
        epoch: the store's.
        tenure: the right to use it.
    """

    def __init__(
        self, url: str, options: PostgresOptions, new_epoch: Callable[[], str], *, shared: bool
    ) -> None:
        self._url = url
        self._options = options
        kind: Callable[..., Tenure] = SharedTenure if shared else SoleTenure
        self.tenure = kind(url, options, new_epoch)
        self._pool: Any = None
        self._own: Any = None
        self.epoch = ""

    def check(self) -> None:
        """Make sure that it is there, and may be written to, as far as is known.

        Raises:
            RhtmxError: `STORAGE_FAILED`.
        """
        if self._pool is None:
            raise failed("the server's database is closed")
        if self.tenure.failure is not None:
            raise failed(self.tenure.failure)

    def void(self) -> bool:
        """Whether it is lost for good, or was closed."""
        return self._pool is None or self.tenure.void

    async def open(self) -> None:
        """Connect, and make the tables if need be.

        Raises:
            RhtmxError: `STORAGE_FAILED`, with what is wrong and what to do.
        """
        try:
            self.epoch = await self.tenure.open()
            self._pool = await make_pool(self._url, self._options, self._options.connections)
            self._own = await make_pool(self._url, self._options, 1)
        except _NOT_OPENED as error:
            await self.close()
            raise _unreachable(error) from error
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close all connections. May be called twice."""
        pools = [pool for pool in (self._pool, self._own) if pool is not None]
        self._pool = self._own = None
        for pool in pools:
            with contextlib.suppress(*FAILED):
                await asyncio.wait_for(pool.close(), _CLOSING)
            pool.terminate()
        await self.tenure.close()

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """Take one of the connections.

        Behind a pooler all that is done with it is one transaction, which is committed at the end:
        what the driver raises then, it raises after what is within.

        Raises:
            RhtmxError: `STORAGE_FAILED`, there is none. Nothing was sent.
        """
        self.check()
        async with self._connected(self._pool) as session:
            yield session

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[Session]:
        """Take one of the connections, to read: what fails is put into words."""
        with in_words():
            async with self.session() as session:
                yield session

    @contextlib.asynccontextmanager
    async def asking(self) -> AsyncIterator[Session]:
        """Take a connection to find out whether the database is there at all.

        It is kept for such questions: they are answered also while all others are in use.
        """
        if self._own is None:
            raise failed("the server's database is closed")
        with in_words():
            async with self._connected(self._own) as session:
                yield session

    @contextlib.asynccontextmanager
    async def _connected(self, pool: Any) -> AsyncIterator[Session]:
        with in_words():
            connection = await pool.acquire(timeout=self._options.timeout)
        try:
            if self._options.pooler:
                async with pooled_transaction(connection):
                    yield Session(connection, self._options.schema, begun=True)
            else:
                yield Session(connection, self._options.schema)
        finally:
            # What fails here ends the connection, and says nothing of what was done with it.
            with contextlib.suppress(*FAILED):
                await pool.release(connection, timeout=self._options.timeout)


def _unreachable(error: BaseException) -> RhtmxError:
    """Say why a server cannot start, in the driver's words: they are for whoever starts it."""
    words = str(error) or type(error).__name__
    if isinstance(error, ssl.SSLCertVerificationError):
        words = (
            f"its certificate is refused ({error.verify_message.rstrip('.')}): the host in the URL "
            "has to be one of its names, and sslrootcert=… names the file of the authority that "
            "has signed it"
        )
    return failed(f"the database cannot be used: {words}")
