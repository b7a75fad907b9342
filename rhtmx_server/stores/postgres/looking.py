"""What a batch sees of the store, read by one statement.

Knows the tables. Must not know transactions, nor what becomes of what is read.

One statement sees one moment, so nothing need be locked: whether it is still so is found out where
the batch is written (`writing`). Everything comes as rows of one shape, the kind of each in front.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from rhtmx_server.model import ClientRow, Head, Key, Outcome, Record
from rhtmx_server.ports import BatchNeeds, Moment, Snapshot
from rhtmx_server.stores.paging import BATCH_BYTES
from rhtmx_server.stores.rows import Row, outcome_of, record_of

__all__ = ["LOOK", "Look", "arguments"]


LOOK = """
    WITH asked AS (
      SELECT * FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS each(entity, entity_id, place)
    ),
    found AS (
      SELECT asked.place, records.*,
        sum(coalesce(octet_length(data), 0) + coalesce(octet_length(clocks), 0)
          + coalesce(octet_length(hidden), 0)) OVER (ORDER BY asked.place)
        - coalesce(octet_length(data), 0) - coalesce(octet_length(clocks), 0)
        - coalesce(octet_length(hidden), 0) AS before
      FROM asked JOIN rhtmx.records USING (entity, entity_id)
    )
    SELECT 't', NULL::bigint, value, NULL,
      (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, NULL::bigint,
      NULL::bigint, NULL, NULL::bytea, NULL::bytea, NULL::bytea, NULL::smallint
    FROM rhtmx.meta WHERE key = 'epoch'
    UNION ALL
    SELECT 'h', NULL, each.entity, NULL, newest.upto, coalesce(entities.floor, 0),
      newest.time, NULL, NULL, NULL, NULL, NULL
    FROM unnest($3::text[]) AS each(entity)
      LEFT JOIN rhtmx.entities USING (entity)
      CROSS JOIN LATERAL (
        SELECT upto, time FROM rhtmx.log WHERE log.entity = each.entity ORDER BY base DESC LIMIT 1
      ) AS newest
    UNION ALL
    SELECT 'r', place, entity, entity_id, version,
      coalesce(entered, 0), time, client_id, data, clocks, hidden, action
    FROM found WHERE before <= $4
    UNION ALL
    SELECT 'u', min(place), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM found WHERE before > $4
    UNION ALL
    SELECT 'p', NULL, found.entity, found.entity_id, NULL, NULL, NULL, members.part,
      NULL, NULL, NULL, NULL
    FROM found JOIN rhtmx.members ON members.entity = found.entity
      AND members.entity_id = found.entity_id AND members.version = found.version AND members.gone
    WHERE found.action = 3 AND before <= $4
    UNION ALL
    SELECT 'c', NULL, client_id, subject, last_seq, seen, NULL, NULL, secret, NULL, NULL, NULL
    FROM rhtmx.clients WHERE client_id = ANY($5::text[])
    UNION ALL
    SELECT 'o', NULL, client_id, NULL, seq, rejected::int, NULL, NULL, digest, reply, NULL, NULL
    FROM unnest($6::text[], $7::bigint[]) AS each(client_id, seq)
      JOIN rhtmx.outcomes USING (client_id, seq)"""


def arguments(
    records: Collection[Key],
    clients: Iterable[str],
    outcomes: Collection[tuple[str, int]] = (),
) -> Row:
    """The arguments of `LOOK`.

    Args:
        records: those that are wanted, in the order in which they are needed.
        clients: the ids of clients.
        outcomes: (client_id, seq) of each that is wanted.
    """
    return (
        [entity for entity, _ in records],
        [entity_id for _, entity_id in records],
        list({entity for entity, _ in records}),
        BATCH_BYTES,
        list(clients),
        [client_id for client_id, _ in outcomes],
        [seq for _, seq in outcomes],
    )


@dataclass(slots=True)
class Look:
    """What was seen, and what must still be so when the batch is written.

    Args:
        snapshot: for the batch.
        heads: of each entity that was looked at, its last version.
        last_seqs: of each client that was looked at; -1 of one that there is not.
        moment: when that was: by the clock of the database, and never before what was written.
    """

    snapshot: Snapshot = field(default_factory=Snapshot)
    heads: dict[str, int] = field(default_factory=dict)
    last_seqs: dict[str, int] = field(default_factory=dict)
    moment: Moment = field(default_factory=lambda: Moment("", 0))

    def take(self, rows: Iterable[Row], asked: Collection[Key]) -> Mapping[Key, Record]:
        """Take in the answer of a statement.

        Args:
            rows: of `LOOK`.
            asked: the records that it was asked for.

        Returns:
            The records among them.
        """
        seen, found, parts = self.snapshot, dict[Key, Record](), dict[Key, set[str]]()
        for (
            kind,
            place,
            name,
            second,
            number,
            other,
            time,
            third,
            first,
            reply,
            hidden,
            action,
        ) in rows:
            match kind:
                case "t":
                    self.moment = Moment(name, max(number, self.moment.now))
                case "h":
                    seen.heads[name] = Head(number, other)
                    self.moment = Moment(self.moment.epoch, max(self.moment.now, time + 1))
                case "r":
                    row = (name, second, number, action, first, third, time, reply, other, hidden)
                    found[name, second] = record_of(row)
                case "u" if place is not None:
                    seen.unread = {*seen.unread, *list(asked)[place - 1 :]}
                case "p":
                    parts.setdefault((name, second), set()).add(third)
                case "c":
                    seen.clients[name] = ClientRow(name, second, number, other, first)
                case "o":
                    outcome: Outcome = outcome_of((name, number, first, reply, bool(other)))
                    seen.outcomes[name, number] = outcome
        seen.records |= found
        seen.last_parts |= {key: frozenset(each) for key, each in parts.items()}
        for entity, _ in asked:
            head = seen.heads.setdefault(entity, Head())
            # What was seen first counts: what was read with it may be older than a later look.
            self.heads.setdefault(entity, head.version)
        return found

    def take_clients(self, wanted: BatchNeeds) -> None:
        """Note where the wanted clients are, before the batch changes what was read."""
        clients = self.snapshot.clients
        for client_id in wanted.clients:
            known = clients.get(client_id)
            self.last_seqs[client_id] = -1 if known is None else known.last_seq
