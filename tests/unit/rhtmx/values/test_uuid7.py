"""Facts about `rhtmx.values.uuid7`."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime, timedelta

from rhtmx.values.uuid7 import uuid7

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_it_is_a_uuid_of_version_7_of_its_time() -> None:
    made = uuid.UUID(uuid7(NOW, random.Random(7).random))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == NOW.timestamp() * 1000


def test_all_bits_but_those_of_version_and_variant_are_random() -> None:
    most = uuid.UUID(uuid7(NOW, lambda: 1 - 2**-53)).int & 2**80 - 1
    least = uuid.UUID(uuid7(NOW, lambda: 0.0)).int & 2**80 - 1
    assert most ^ least == (2**12 - 1) << 64 | 2**62 - 1


def test_later_ones_sort_behind_earlier_ones() -> None:
    chance = random.Random(1).random
    made = [uuid7(NOW + timedelta(milliseconds=each), chance) for each in range(1000)]
    assert made == sorted(made)
