"""In whose name the program of the server reads and writes.

Knows grants, and the doors' rules of entry. Must not know what is read or written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.grant import Grant
from rhtmx_server.conflict_log import RESERVED
from rhtmx_server.connections.checks import check_name
from rhtmx_server.connections.services import Services
from rhtmx_server.connections.visits import Visit
from rhtmx_server.model import Mutation
from rhtmx_server.names import suggestion
from rhtmx_server.program.life import AppLife

__all__ = ["Author", "Authors"]

_MOST_KEPT = 10_000
"""Subjects whose client id is kept; of more, the oldest get another one with their next write."""


class Author:
    """The program itself, which may do everything, or somebody in whose name it acts.

    Args:
        life: of the app.
        who: somebody, with their rights; `None` for the program itself.
        client_id: the author of what is written, where `who` has a subject.

    Attributes:
        who: as given.
    """

    def __init__(
        self, life: AppLife, who: Grant | None = None, client_id: str | None = None
    ) -> None:
        self.who = who
        self._life = life
        self._client_id = client_id

    def services(self, entity: str) -> Services:
        """The server, of which an entity is wanted.

        Raises:
            RhtmxError: `SHUTTING_DOWN`, it does not run; `NOT_SUPPORTED`, it runs elsewhere;
                `UNKNOWN_ENTITY`, it has no such entity.
        """
        services = self._life.running.services
        entities = services.entities
        if entities is not None and entity not in entities and not entity.startswith(RESERVED):
            raise RhtmxError(
                ErrorCode.UNKNOWN_ENTITY,
                f"no entity {entity[:40]!r} is declared{suggestion(entity, entities)}",
            )
        services.known(entity)
        return services

    def submit(self, mutation: Mutation) -> None:
        """Put a write in line: in this author's name, and judged by their rights.

        Raises:
            RhtmxError: as `services`; `UNAUTHENTICATED`, the grant has ended; `BAD_MESSAGE`, the
                client id cannot be one.
        """
        services = self._life.running.services
        if self.who is None:
            check_name("client_id", mutation.client_id or "none")
        else:
            services.until(self.who)
            mutation.who, mutation.subject = self.who, self.who.subject
            mutation.client_id = mutation.client_id or self._client_id
            mutation.source = self  # one that waits for a function of the program holds up no other
        services.submit(mutation)

    @contextmanager
    def visiting(self, services: Services) -> Iterator[Visit | None]:
        """Read something: it ends when the author is signed out. `None` for the program itself.

        Raises:
            RhtmxError: `UNAUTHENTICATED`, the grant has ended.
        """
        visit = self.enter(services)
        try:
            yield visit
        finally:
            if visit is not None:
                visit.leave()

    def enter(self, services: Services) -> Visit | None:
        """The same for what lasts: `Visit.leave` is to be called."""
        if self.who is None:
            return None
        return services.visits.enter(self.who, services.until(self.who))


class Authors:
    """Gives authors, and each subject one client id: by it the history knows who wrote what.

    The id is no other's: it cannot be guessed before the subject has written with it.

    Args:
        life: of the app.
        new_id: makes ids that nobody can guess.
    """

    def __init__(self, life: AppLife, new_id: Callable[[], str]) -> None:
        self._life = life
        self._new_id = new_id
        self._ids: dict[str, str] = {}

    def of(self, who: Grant | None) -> Author:
        """The author for a grant; `None` is the program itself.

        Raises:
            TypeError: it is no grant.
        """
        if who is None:
            return Author(self._life)
        given: object = who
        if not isinstance(given, Grant):
            raise TypeError(
                "who: a Grant expected, which says what somebody may do, such as "
                f"Grant('ada', roles={{'clerk'}}); got {given!r:.40}"
            )
        if not who.subject:
            return Author(self._life, who)
        client_id = self._ids.get(who.subject)
        if client_id is None:
            if len(self._ids) >= _MOST_KEPT:
                # Any thread may ask. To copy the keys is one step, and to walk through them is not.
                oldest = list(self._ids)[0]  # noqa: RUF015
                self._ids.pop(oldest, None)
            client_id = self._ids.setdefault(who.subject, f"app-{self._new_id()}")
        return Author(self._life, who, client_id)
