"""How the program is asked which parts of an entity somebody reads.

Knows what a function given to `App.scope` may be, and what it may answer. Must not
know who asks, nor what is read.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.access import Access, AskScope
from rhtmx_server.access.conflict_logs import log_entities, log_scope
from rhtmx_server.access.entity import Entity
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.parts import Part
from rhtmx_server.access.scopes import given_parts
from rhtmx_server.conflict_log import log_of
from rhtmx_server.failures import unexpected
from rhtmx_server.functions import blocks, call, name_of, require_one_argument, was_cancelled
from rhtmx_server.threads import DaemonPool

__all__ = ["ScopeFunction", "access_of", "check_scope_function", "scope_asker"]

log = logging.getLogger("rhtmx_server")

ScopeFunction: TypeAlias = Callable[[Grant], Any]
"""What a program gives: plain or `async`; plain ones run in a thread."""


def check_scope_function(entity: str, function: ScopeFunction) -> None:
    """Refuse what cannot be asked.

    Raises:
        TypeError: it does not take one argument, or is no function.
    """
    require_one_argument(function, f"app.scope({entity!r}) {name_of(function)}", "(who)")


def scope_asker(
    entity: Entity,
    function: ScopeFunction,
    threads: DaemonPool,
    seconds: float,
) -> AskScope:
    """Make of the program's function the one that the server asks.

    It raises `RhtmxError` only: what else the function raises or returns is logged, and
    told as `INTERNAL`. Nobody reads anything then.

    Args:
        entity: of which it is asked.
        function: turns a `Grant` into parts.
        threads: where it runs if it is a plain one; the questions about one subject have
            one share of them.
        seconds: that it may take.
    """
    name = f"app.scope({entity.name!r}) {name_of(function)}"
    pool = threads if blocks(name, function, None) else None

    async def ask(who: Grant) -> frozenset[Part]:
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                answer = await call(lambda: function(who), pool, who.subject)
            return given_parts(entity.name, answer, entity.partitions)
        except RhtmxError:
            raise
        # `SystemExit` and a cancellation of its own come from the program: neither may end the
        # server.
        except (Exception, SystemExit, asyncio.CancelledError) as failure:
            if deadline.expired() and isinstance(failure, TimeoutError):
                raise RhtmxError(
                    ErrorCode.TIMEOUT,
                    f"'{entity.name[:40]}': to find out what you may read took longer than "
                    f"{seconds:g} s: try again",
                ) from None
            if was_cancelled(failure):
                raise
            raise unexpected(failure, name) from None

    return ask


def access_of(
    entities: Mapping[str, Entity],
    functions: Mapping[str, ScopeFunction],
    threads: DaemonPool,
    seconds: float,
    *,
    unlogged: Collection[str] = frozenset(),
) -> Access:
    """Put together who may see and do what, and warn of what may have been forgotten.

    Args:
        entities: those that were declared.
        functions: those that say what somebody reads, by the name of the entity.
        threads: see `scope_asker`.
        seconds: see `scope_asker`.
        unlogged: the entities that have no conflict log.

    Raises:
        DeclarationError: something that cannot work; in words that say what to write.
    """
    asked = {
        name: scope_asker(entities.get(name) or Entity(name), function, threads, seconds)
        for name, function in functions.items()
    }
    logs = log_entities(entities, functions, unlogged)
    of_logs = {
        log_of(name): log_scope(ask, entities[name].rules.get("update"))
        for name, ask in asked.items()
        if log_of(name) in logs
    }
    access = Access({**entities, **logs}, {**asked, **of_logs})
    if access.open:
        log.warning(
            "access: everybody may read and write %s, of which nothing is said: say "
            "access(all=anyone) if that is meant",
            ", ".join(map(repr, access.open)),
        )
    return access
