"""Facts about `rhtmx_server.trackers.policy`."""

from __future__ import annotations

import pytest

from rhtmx.errors import RhtmxError
from rhtmx.messages import FieldAction, FieldUpdate, MergeStrategy
from rhtmx_server.trackers.policy import Counter, Policy, parse_policy, parse_strategy, policies


def test_without_a_word_the_last_write_wins() -> None:
    assert parse_policy().strategy("anything") is MergeStrategy.LAST_WRITE_WINS


def test_one_strategy_holds_for_all_fields() -> None:
    assert parse_policy("keep_both").strategy("anything") is MergeStrategy.KEEP_BOTH


def test_a_field_may_have_its_own_strategy() -> None:
    policy = parse_policy({"role": "server_wins", "nick": MergeStrategy.CLIENT_WINS})
    assert policy.strategy("role") is MergeStrategy.SERVER_WINS
    assert policy.strategy("nick") is MergeStrategy.CLIENT_WINS
    assert policy.strategy("name") is MergeStrategy.LAST_WRITE_WINS


def test_a_policy_may_combine_a_default_with_single_fields() -> None:
    policy = Policy(MergeStrategy.KEEP_BOTH, {"role": MergeStrategy.SERVER_WINS})
    assert parse_policy(policy) is policy
    assert policy.strategy("role") is MergeStrategy.SERVER_WINS
    assert policy.strategy("name") is MergeStrategy.KEEP_BOTH


def test_a_policy_does_not_change_with_the_dict_that_it_came_from() -> None:
    fields = {"role": MergeStrategy.SERVER_WINS}
    policy = Policy(fields=fields)
    fields["role"] = MergeStrategy.CLIENT_WINS
    assert policy.strategy("role") is MergeStrategy.SERVER_WINS


@pytest.mark.parametrize("strategy", [s for s in MergeStrategy if s])
def test_every_strategy_has_a_name(strategy: MergeStrategy) -> None:
    assert strategy.name is not None
    assert parse_strategy(strategy.name.lower()) is strategy
    assert parse_strategy(strategy) is strategy


@pytest.mark.parametrize("wrong", ["last_writer_wins", "", "KEEP_BOTH", MergeStrategy.UNSPECIFIED])
def test_an_unknown_strategy_is_answered_with_the_list_of_those_there_are(
    wrong: str | MergeStrategy,
) -> None:
    with pytest.raises(
        ValueError, match="last_write_wins, keep_both, server_wins, client_wins, counter, set"
    ) as refused:
        parse_strategy(wrong)
    assert repr(wrong) in str(refused.value)


def test_an_unknown_strategy_is_reported_with_its_field() -> None:
    with pytest.raises(ValueError, match="field 'role': 'server' is not a merge strategy"):
        parse_policy({"name": "keep_both", "role": "server"})


def test_what_is_not_declared_merges_by_the_last_write_and_what_is_declared_later_counts() -> None:
    declared: dict[str, Policy | None] = {"logs": None}
    policy_of = policies(declared)
    assert (policy_of("logs"), policy_of("tasks")) == (None, Policy())
    declared["tasks"] = Policy(MergeStrategy.SERVER_WINS)
    assert policy_of("tasks") is declared["tasks"]


def test_a_counter_with_decimals_takes_increments_of_as_many() -> None:
    policy = parse_policy({"balance": Counter(scale=2)})
    assert policy.strategy("balance") is MergeStrategy.COUNTER
    increment = FieldAction.INCREMENT
    policy.check_operation(FieldUpdate(field="balance", value=b'"-0.50"', action=increment))
    for wrong in (b'"0.5"', b"1", b'"x"'):
        with pytest.raises(RhtmxError, match=r'increment it by a string like "0\.00"'):
            policy.check_operation(FieldUpdate(field="balance", value=wrong, action=increment))


@pytest.mark.parametrize("scale", [-1, 19])
def test_a_scale_has_its_bounds(scale: int) -> None:
    with pytest.raises(ValueError, match="0 to 18 decimals expected"):
        Counter(scale)
