"""Facts about `rhtmx_server.access.grant`."""

from __future__ import annotations

import pytest

from rhtmx_server.access.grant import Grant


def test_a_grant_does_not_change_with_what_it_was_made_of() -> None:
    roles, claims = ["clerk"], {"team": "red"}
    grant = Grant("ada", roles=roles, claims=claims)
    roles.append("admin")
    claims["team"] = "blue"
    assert grant == Grant("ada", roles={"clerk"}, claims={"team": "red"})


def test_nobody_changes_the_claims_of_a_grant() -> None:
    grant = Grant("ada", claims={"team": "red"})
    with pytest.raises(TypeError):
        grant.claims["team"] = "blue"  # type: ignore[index]


def test_a_grant_has_the_roles_that_it_was_given_and_no_others() -> None:
    grant = Grant("ada", roles={"clerk"})
    assert grant.has_role("clerk")
    assert not grant.has_role("admin")
    assert not Grant("ada").has_role("clerk")


def test_grants_can_be_told_apart_and_kept_in_sets() -> None:
    one, two = Grant("ada", claims={"a": [1]}), Grant("ada", claims={"a": [2]})
    assert one != two
    assert len({one, two, Grant("ada", claims={"a": [1]})}) == 2


@pytest.mark.parametrize("claims", [{"a": True}, {"a": 1.0}, {"a": "1"}, {}])
def test_grants_whose_claims_only_python_takes_for_the_same_are_different(
    claims: dict[str, object],
) -> None:
    assert Grant("ada", claims={"a": 1}) != Grant("ada", claims=claims)
    assert Grant("ada", claims={"a": [1]}) != Grant("ada", claims={"a": list(claims.values())})


def test_grants_are_the_same_in_whichever_order_their_claims_are_named() -> None:
    one, two = Grant("ada", claims={"a": 1, "b": 2}), Grant("ada", claims={"b": 2, "a": 1})
    assert one == two
    assert hash(one) == hash(two)
    assert one != "ada"
