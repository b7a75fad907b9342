"""Facts about `rhtmx_server.transports.grpc.caller`."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.wire.limits import MAX_TOKEN
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.request import Request
from rhtmx_server.model import ClientRow
from rhtmx_server.ports import BatchNeeds, BatchWrites
from rhtmx_server.transports.grpc.caller import identify
from rhtmx_server.writing.identity import hashed
from tests.unit.rhtmx_server.connecting import Side
from tests.unit.rhtmx_server.fakes import NOW


async def grants(request: Request) -> Grant:
    if request.token == "wrong":
        raise RhtmxError(ErrorCode.UNAUTHENTICATED, "not known")
    return Grant("ada", {"old": NOW - 1, "brief": NOW + 2_000_000}.get(request.token))


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_where_nobody_is_asked_a_token_is_not_looked_at() -> None:
    caller = await identify(Side().services, Request(headers={"authorization": "nonsense"}))
    assert (caller.subject, caller.known) == ("", True)


async def test_a_token_names_the_subject_and_the_time_it_has() -> None:
    side = Side(authenticate=grants)
    caller = await identify(side.services, Request(headers=bearer("good")))
    assert (caller.subject, caller.until) == ("ada", None)
    caller = await identify(side.services, Request(headers=bearer("brief")))
    assert caller.until == side.now() + 2


@pytest.mark.parametrize(
    "metadata",
    [{}, bearer("wrong"), bearer("old"), bearer(""), {"authorization": "Basic x"}],
)
async def test_without_a_good_token_nobody_comes_in(metadata: dict[str, str]) -> None:
    with pytest.raises(RhtmxError) as caught:
        await identify(Side(authenticate=grants).services, Request(headers=metadata))
    assert caught.value.code is ErrorCode.UNAUTHENTICATED


async def test_a_missing_token_may_come_later_a_wrong_one_may_not() -> None:
    services = Side(authenticate=grants).services
    assert not (await identify(services, Request(headers={}), later=True)).known
    with pytest.raises(RhtmxError):
        await identify(services, Request(headers=bearer("wrong")), later=True)


async def test_a_client_id_has_the_length_of_any_name() -> None:
    services = Side().services
    assert (await identify(services, Request(headers={"x-rhtmx-client-id": "c"}))).client_id == "c"
    for wrong in ("", "x" * 256):
        with pytest.raises(RhtmxError) as caught:
            await identify(services, Request(headers={"x-rhtmx-client-id": wrong}))
        assert caught.value.code is ErrorCode.BAD_MESSAGE


async def known(side: Side, client: ClientRow) -> None:
    await side.store.commit(BatchNeeds(), lambda _: BatchWrites(clients=[client]))


async def test_who_calls_is_told_before_anything_else_is_looked_up() -> None:
    side = Side(authenticate=grants)
    await known(side, ClientRow("c", "bob", 1, NOW))
    metadata = {**bearer("good"), "x-rhtmx-client-id": "c"}
    callers: list[str] = []
    with pytest.raises(RhtmxError):
        await identify(
            side.services,
            Request(headers=metadata),
            known=lambda caller: callers.append(caller.subject),
        )
    assert callers == ["ada"]


async def test_a_secret_has_the_length_of_any_name_and_only_its_hash_is_kept() -> None:
    services = Side().services
    metadata = {"x-rhtmx-client-id": "c", "x-rhtmx-client-secret": "hush-hush"}
    caller = await identify(services, Request(headers=metadata))
    assert caller.secret == hashed("hush-hush")
    assert "hush" not in repr(caller)
    assert repr(caller.secret) not in repr(caller)
    for wrong in ("", "x" * 256):
        with pytest.raises(RhtmxError, match="x-rhtmx-client-secret: 1 to 255 bytes") as caught:
            await identify(services, Request(headers={**metadata, "x-rhtmx-client-secret": wrong}))
        assert caught.value.code is ErrorCode.BAD_MESSAGE


@pytest.mark.parametrize("later", [False, True])
async def test_another_subject_s_id_is_refused_before_anything_is_done(later: bool) -> None:
    side = Side(authenticate=grants)
    metadata = {**bearer("good"), "x-rhtmx-client-id": "c"}
    for owner in ("bob", ""):
        await known(side, ClientRow("c", owner, 0, NOW))
        with pytest.raises(RhtmxError) as caught:
            await identify(side.services, Request(headers=metadata), later=later)
        assert caught.value.code is ErrorCode.CLIENT_ID_TAKEN
    await known(side, ClientRow("c", "ada", 0, NOW))
    assert (await identify(side.services, Request(headers=metadata), later=later)).client_id == "c"


async def test_a_wrong_secret_is_refused_and_a_missing_one_may_never_be_needed() -> None:
    side = Side()
    await known(side, ClientRow("c", "", 1, NOW, hashed("hers")))
    metadata = {"x-rhtmx-client-id": "c"}
    assert (await identify(side.services, Request(headers=metadata))).secret is None
    assert await identify(
        side.services, Request(headers={**metadata, "x-rhtmx-client-secret": "hers"})
    )
    with pytest.raises(RhtmxError) as caught:
        await identify(
            side.services, Request(headers={**metadata, "x-rhtmx-client-secret": "guessed"})
        )
    assert caught.value.code is ErrorCode.CLIENT_ID_TAKEN


async def test_a_token_that_is_too_long_is_refused_in_words() -> None:
    services = Side(authenticate=grants).services
    assert (await identify(services, Request(headers=bearer("t" * MAX_TOKEN)))).subject == "ada"
    for later in (False, True):
        with pytest.raises(RhtmxError) as caught:
            await identify(services, Request(headers=bearer("t" * (MAX_TOKEN + 1))), later=later)
        assert caught.value.code is ErrorCode.BAD_MESSAGE
        assert caught.value.message == "token: at most 4096 bytes expected, got 4097"


async def test_a_token_is_good_until_its_very_end() -> None:
    side = Side(authenticate=grants)
    caller = await identify(side.services, Request(headers=bearer("brief")))
    side.now.seconds += 1.999
    caller.present()
    side.now.seconds += 0.001
    with pytest.raises(RhtmxError, match="the token has expired"):
        caller.present()
    (await identify(side.services, Request(headers=bearer("good")))).present()
