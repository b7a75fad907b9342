"""Checks what one subscriber was sent against what a stream promises.

Ordered: versions never go back. Unique: no change is sent twice. Resumable:
what the stream skipped is superseded by what it sent, so that the replica built
from it ends as the server's state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


class BrokenError(AssertionError):
    """A stream broke its promise."""


@dataclass
class Stream:
    """What one subscriber sees of one entity; survives reconnects.

    Attributes:
        position: the version up to which everything was received.
        records: the replica, by entity_id; at either granularity.
        versions: the versions seen, in order of arrival.
    """

    entity: str
    position: int = 0
    records: dict[str, Any] = field(default_factory=dict)
    versions: list[int] = field(default_factory=list)
    _seen: set[tuple[Any, ...]] = field(default_factory=set)
    _last: int = 0
    _snapshot: set[str] | None = None

    def rewound(self, version: int) -> None:
        """The subscriber asked to have everything after `version` again."""
        self.position = version
        self._seen = {key for key in self._seen if key[0] <= version}
        self._last = version
        self._snapshot = set()

    def saw(self, message: dict[str, Any]) -> None:
        """Take one message; those of other entities are ignored."""
        kind = message["type"]
        if kind == "change":
            self._change(message["change"])
        elif kind == "field_change":
            self._field(message["change"])
        elif kind in ("sync_complete", "sync_fields_complete"):
            self._complete(message)

    def _order(self, change: dict[str, Any], *key: Any) -> None:
        version = change["version"]
        if version <= self.position:
            raise BrokenError(f"{self.entity}: version {version} after position {self.position}")
        if version < self._last:
            raise BrokenError(f"{self.entity}: version {version} after {self._last}")
        if (version, *key) in self._seen:
            raise BrokenError(f"{self.entity}: {key} at version {version} came twice")
        self._seen.add((version, *key))
        self._last = version
        self.versions.append(version)
        if self._snapshot is not None:
            self._snapshot.add(change["entity_id"])

    def _change(self, change: dict[str, Any]) -> None:
        if change["entity"] != self.entity:
            return
        self._order(change, change["entity_id"], "")
        self.position = change["version"]
        if change["action"] == "delete":
            self.records.pop(change["entity_id"], None)
        else:
            self.records[change["entity_id"]] = change["data"]

    def _field(self, change: dict[str, Any]) -> None:
        if change["entity"] != self.entity:
            return
        self._order(change, change["entity_id"], change["field"])
        record = self.records.setdefault(change["entity_id"], {})
        if change["action"] == "delete":
            record.pop(change["field"], None)
        else:
            record[change["field"]] = change["value"]
        if not change.get("more"):
            self.position = change["version"]

    def _complete(self, message: dict[str, Any]) -> None:
        if message["entity"] != self.entity:
            return
        if message["version"] < self.position:
            raise BrokenError(f"{self.entity}: complete at {message['version']}, was further")
        self.position = message["version"]
        if message["reset"] and self._snapshot is not None:
            for gone in set(self.records) - self._snapshot:
                del self.records[gone]
        self._snapshot = None
