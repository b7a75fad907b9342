"""All patterns, by name. The first line of each is what it does."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.support.hostile import frames, http2, reads, sessions
from benchmarks.support.hostile.aim import Pattern

ANY_SERVER: Mapping[str, Pattern] = {
    each.__name__: each
    for each in (
        frames.json_pings,
        frames.json_pings_unread,
        frames.pings,
        frames.pings_unread,
        frames.pongs,
        frames.endless_message,
        frames.half_closed,
        frames.unfinished_handshakes,
    )
}
"""Those that our server and its peers are put to."""

OURS: Mapping[str, Pattern] = {
    **ANY_SERVER,
    **{
        each.__name__: each
        for each in (
            frames.empty_messages,
            frames.split_messages,
            frames.deflate_bombs,
            sessions.validations,
            sessions.subscriptions,
            sessions.syncs,
            sessions.hellos,
            sessions.reconnects,
            sessions.slow_validators,
            sessions.entities_subscribed,
            sessions.entities_pushed,
            sessions.form_instances,
            sessions.client_ids,
            reads.unread_bodies,
            reads.slow_bodies,
        )
    },
    **{
        f"grpc_{each.__name__}": each
        for each in (
            http2.window_updates,
            http2.pings,
            http2.pings_unread,
            http2.settings,
            http2.empty_data,
            http2.unknown,
            http2.priorities,
            http2.resets,
            http2.shut_windows,
            http2.one_history,
        )
    },
}
"""Those that our server is put to."""


def words(name: str) -> str:
    """What the pattern of this name does, for a table."""
    told = (OURS[name].__doc__ or "").partition("\n")[0]
    return f"gRPC: {told}" if name.startswith("grpc_") else told
