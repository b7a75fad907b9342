"""Who a client is to the server: what is said, and when it may be relied on."""

from __future__ import annotations

import pytest

from rhtmx.core.identity import Identity
from rhtmx.core.storage_ops import Image, PendingOps, SetIdentity, SetLast
from rhtmx.messages import Hello, SchemaVersion, Welcome
from rhtmx.messages.tables import SCHEMA_HASH


@pytest.fixture(params=[False, True], ids=["in memory", "with a store"])
def pending_ops(request: pytest.FixtureRequest) -> PendingOps:
    made = PendingOps()
    made.durable = request.param
    return made


def identity(pending_ops: PendingOps) -> Identity:
    made = Identity(pending_ops)
    made.load("c")
    return made


def test_hello_says_the_id_and_what_gives_the_right_to_it(pending_ops: PendingOps) -> None:
    one = identity(pending_ops)
    assert one.hello("t", "e", 4) == Hello("c", "t", SCHEMA_HASH, "e", 4)
    one.given("s")
    assert one.hello(None, None, 0) == Hello("c", None, SCHEMA_HASH, None, 0, "s")


def test_hello_says_the_schema_that_the_program_was_built_with(pending_ops: PendingOps) -> None:
    one, schema = identity(pending_ops), SchemaVersion(3, "ab", 1)
    assert (one.hello(None, None, 0).app_schema, one.schema_version) == (None, None)
    one.built_with(schema)
    assert (one.hello(None, None, 0).app_schema, one.schema_version) == (schema, 3)


def test_welcome_says_which_server_that_is_and_its_schema_and_maybe_gives_a_secret(
    pending_ops: PendingOps,
) -> None:
    one = identity(pending_ops)
    assert [one.server_schema, one.node] == [None, None]
    one.welcomed(Welcome(app_schema=SchemaVersion(4), secret="s", node="b"))
    assert [one.server_schema, one.secret, one.node] == [SchemaVersion(4), "s", "b"]
    one.welcomed(Welcome())
    assert [one.server_schema, one.secret, one.node] == [None, "s", None]


def test_what_was_kept_need_not_be_stored_again(pending_ops: PendingOps) -> None:
    one = Identity(pending_ops)
    one.load("c", "s")
    assert (one.secret, one.stored, bool(pending_ops)) == ("s", True, False)


def test_a_secret_counts_once_the_store_has_it(pending_ops: PendingOps) -> None:
    one = identity(pending_ops)
    one.given("s")
    assert one.stored is not pending_ops.durable
    one.kept(pending_ops.take().ops.values())
    assert one.stored


@pytest.mark.parametrize("op", [SetLast(3), SetIdentity("c", "other"), SetIdentity("d", "s")])
def test_nothing_else_that_is_stored_is_taken_for_it(op: SetLast | SetIdentity) -> None:
    pending_ops = PendingOps()
    pending_ops.durable = True
    one = identity(pending_ops)
    one.given("s")
    one.kept([op])
    assert not one.stored


def test_an_older_secret_that_was_stored_is_not_the_one_that_counts() -> None:
    pending_ops = PendingOps()
    pending_ops.durable = True
    one = identity(pending_ops)
    one.given("first")
    older = list(pending_ops.take().ops.values())
    one.given("second")
    one.kept(older)
    assert not one.stored
    one.kept([SetIdentity("c", "second")])
    assert one.stored


def test_a_new_id_is_made_of_random_numbers_and_has_no_secret(pending_ops: PendingOps) -> None:
    one = identity(pending_ops)
    one.given("s")
    numbers = iter([0.0, 0.5, 0.999999999999, 1 / 3])
    one.renew(lambda: next(numbers))
    assert (one.client_id, one.secret) == ("0000000080000000ffffffff55555555", None)


def test_a_secret_is_not_shown() -> None:
    assert "hush" not in repr(SetIdentity("c", "hush"))
    assert "hush" not in repr(Image("c", secret="hush"))
