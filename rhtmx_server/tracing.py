"""What is traced of a server, by which names.

Knows which spans there are, what they say and what they link to. Must not know what takes them
(`spans` is the port). Where nothing is traced none of this is called.

==============  ========  =====================================  ===============================
span            kind      says                                   links to
==============  ========  =====================================  ===============================
push,           server    entity; of a transaction, how many     what the client said with it,
push_fields,              writes; the version                    else with `hello`
transaction
COMMIT          client    of which database; how many writes     the pushes in it
validate_field, server    form, field; whether it is valid       what the client said with
validate_form                                                    `hello`
catch_up        internal  entities; how many records were read   the same
==============  ========  =====================================  ===============================

No span has a value of a record or of a form, an id of a record, or a token.

A client is linked to, and is no parent: whether something is recorded is for the server to
decide, not for whoever can open a socket.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

from rhtmx.errors import RhtmxError
from rhtmx.messages import Error, Transaction, ValidateField, ValidateForm
from rhtmx.messages.tables import ERROR_CODE_SPELLINGS, NAMES
from rhtmx.wire import ServerMessage
from rhtmx_server.model import Mutation
from rhtmx_server.spans import Attribute, Kind, RemoteSpan, Span, Tracer, remote_span

__all__ = ["Tracing", "error_type"]


@dataclass(frozen=True, slots=True)
class Tracing:
    """Traces what a server does.

    Args:
        tracer: begins the spans.
        said: what the connection that asks said of its own trace with `hello`.
        database: the name of the system that keeps the records; empty if it is none.
    """

    tracer: Tracer
    said: Callable[[Hashable], str | None]
    database: str = ""

    def push(self, mutation: Mutation) -> None:
        """Trace a mutation from here until it is answered."""
        message = mutation.message
        attributes: dict[str, Attribute]
        if isinstance(message, Transaction):
            attributes = {"rhtmx.writes": len(message.writes)}
        else:
            attributes = {"rhtmx.entity": message.entity}
        links = self._links(mutation.source, message.traceparent)
        span = self.tracer.begin(NAMES[type(message)], Kind.SERVER, attributes, links)
        mutation.span, answer = span, mutation.answer

        def answered(reply: Sequence[ServerMessage]) -> None:
            try:
                answer(reply)
            finally:
                _end(span, reply[-1])

        mutation.answer = answered

    @contextlib.contextmanager
    def commit(self, mutations: Sequence[Mutation]) -> Iterator[None]:
        """Trace a transaction of the database."""
        attributes: dict[str, Attribute] = {"db.operation.name": "COMMIT"}
        if self.database:
            attributes["db.system.name"] = self.database
        if len(mutations) > 1:  # one is no batch, by the conventions
            attributes["db.operation.batch.size"] = len(mutations)
        links = [each.span for each in mutations if each.span is not None]
        with _during(self.tracer.begin("COMMIT", Kind.CLIENT, attributes, links)):
            yield

    def validation(self, message: ValidateField | ValidateForm, owner: Hashable) -> Span:
        """Trace the answer to a question about a form.

        Args:
            message: the question.
            owner: the connection that asks.
        """
        attributes: dict[str, Attribute] = {"rhtmx.form": message.form}
        if isinstance(message, ValidateField):
            attributes["rhtmx.field"] = message.field
        links = self._links(owner)
        return self.tracer.begin(NAMES[type(message)], Kind.SERVER, attributes, links)

    @contextlib.contextmanager
    def catch_up(self, reader: Hashable) -> Iterator[Span]:
        """Trace what a connection reads from the store until it is live.

        Args:
            reader: the connection.
        """
        span = self.tracer.begin("catch_up", Kind.INTERNAL, {}, self._links(reader))
        with _during(span):
            yield span

    def _links(self, owner: Hashable, own: str | None = None) -> Sequence[RemoteSpan]:
        found = remote_span(own) or remote_span(self.said(owner))
        return () if found is None else (found,)


@contextlib.contextmanager
def _during(span: Span) -> Iterator[None]:
    try:
        with span.current():
            yield
    except BaseException as error:
        span.end(error_type(error))
        raise
    span.end()


def error_type(error: BaseException) -> str:
    """What a failure is called: by our codes, or the exception's own name."""
    if isinstance(error, RhtmxError):
        return ERROR_CODE_SPELLINGS[error.code]
    return type(error).__qualname__


def _end(span: Span, reply: ServerMessage) -> None:
    """End the span of a mutation by what its author is told."""
    if isinstance(reply, Error):
        span.end("internal" if reply.code is None else ERROR_CODE_SPELLINGS[reply.code])
        return
    version = getattr(reply, "version", None)
    if version is not None:  # a transaction has one for each write
        span.note("rhtmx.version", version)
    span.end()
