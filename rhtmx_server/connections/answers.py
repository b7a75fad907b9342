"""What a client may do with a conflict log. Pure.

Knows the log's name, and the shape of an answer. Must not know who asks, nor what is
open: that is judged where it is written.
"""

from __future__ import annotations

from collections.abc import Collection

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FieldAction, Push, PushFields
from rhtmx_server.conflict_log import RESERVED, base_of, is_conflict
from rhtmx_server.model import Granularity

__all__ = ["check_answer", "logged_entity"]


def logged_entity(entity: str, granularity: Granularity, unlogged: Collection[str]) -> str:
    """The entity whose conflict log this is.

    Args:
        entity: a name that begins with `$`.
        granularity: at which it is to be read.
        unlogged: the entities that have no log.

    Raises:
        RhtmxError: `UNKNOWN_ENTITY`, it is none; `NOT_SUPPORTED`, none is kept, or it is to
            be read field by field.
    """
    base = base_of(entity)
    if base is None or base.startswith(RESERVED):
        raise RhtmxError(
            ErrorCode.UNKNOWN_ENTITY,
            f"no entity '{entity[:40]}' on this server: names that begin with '$' are its own",
        )
    if base in unlogged:
        raise RhtmxError(
            ErrorCode.NOT_SUPPORTED,
            f"no conflicts of '{base[:40]}' are kept: it is declared with conflicts=False or "
            "fields=False",
        )
    if granularity is Granularity.FIELDS:
        raise RhtmxError(
            ErrorCode.NOT_SUPPORTED,
            f"'{entity[:40]}' is not read by fields: read whole records instead",
        )
    return base


def check_answer(write: Push | PushFields) -> None:
    """Make sure that a write to a conflict log is an answer: anything else is the server's.

    Raises:
        RhtmxError: `NOT_SUPPORTED`, it is none.
    """
    if (
        isinstance(write, PushFields)
        and write.if_unchanged
        and all(
            each.action is FieldAction.DELETE and is_conflict(each.field) for each in write.fields
        )
    ):
        return
    raise RhtmxError(
        ErrorCode.NOT_SUPPORTED,
        f"'{write.entity[:40]}' is written by the server: to answer a conflict, delete its "
        "field ('$' and its number) by push_fields, with if_unchanged and the number as "
        "base_version",
    )
