"""Facts about `rhtmx.grpc.connect`."""

from __future__ import annotations

import pytest

import rhtmx
from rhtmx.errors import RhtmxError
from rhtmx.grpc.client import Backend
from rhtmx.grpc.connect import backend


def test_it_is_called_as_the_tour_shows() -> None:
    assert rhtmx.backend is backend
    assert isinstance(rhtmx.backend("localhost:50051"), rhtmx.Backend)


def secret_of(made: Backend) -> str | None:
    return made._calls._client_secret


def test_an_id_has_a_secret_of_your_choice_or_a_random_one() -> None:
    one, two = (backend("localhost:1", client_id="cafe") for _ in range(2))
    assert len(secret_of(one) or "") >= 43
    assert secret_of(one) != secret_of(two)
    assert secret_of(backend("localhost:1", client_id="cafe", client_secret="mine")) == "mine"
    assert secret_of(backend("localhost:1")) is None


def test_a_secret_without_an_id_is_a_mistake() -> None:
    with pytest.raises(RhtmxError, match="give both, or neither"):
        backend("localhost:1", client_secret="mine")
