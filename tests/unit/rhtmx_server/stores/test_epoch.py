from __future__ import annotations

from rhtmx_server.stores.epoch import random_epoch


def test_an_epoch_is_16_hexadecimal_digits() -> None:
    assert len(random_epoch()) == 16
    assert int(random_epoch(), 16) >= 0


def test_no_two_epochs_are_alike() -> None:
    assert len({random_epoch() for _ in range(100)}) == 100
