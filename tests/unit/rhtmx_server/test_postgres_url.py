"""Facts about `rhtmx_server.postgres_url`, and of passwords in messages."""

from __future__ import annotations

import pytest

from rhtmx_server.hidden_password import hide_password
from rhtmx_server.postgres_url import PostgresOptions, read_url


def test_our_own_options_are_taken_out_of_a_url_and_all_others_stay() -> None:
    url = (
        "postgresql://app:pw@db:5433/app?sslmode=verify-full&schema=shop&connections=3&timeout=2.5"
        "&pooler=true"
    )
    plain, options = read_url(url)
    assert plain == "postgresql://app:pw@db:5433/app?sslmode=verify-full"
    assert options == PostgresOptions("shop", 3, 2.5, pooler=True)


@pytest.mark.parametrize(
    "url",
    ["postgresql:///app?host=/run/pg", "postgresql://a:1,b:2/app", "postgresql://db?dbname=app"],
)
def test_what_the_driver_understands_is_left_to_it(url: str) -> None:
    assert read_url(url)[1] == PostgresOptions()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("schema=Shop", "schema=Shop: a name in lower case expected"),
        ("schema=", "schema=: a name"),
        ("schema=pg_mine", "schema=pg_mine: a name"),
        ("schema=a;drop", "schema=a;drop: a name"),
        (f"schema={'a' * 64}", "a name in lower case"),
        ("connections=1", "connections=1: a number from 2 to 1000"),
        ("connections=many", "connections=many: a number"),
        ("connections=2.5", "connections=2.5: a number"),
        ("timeout=0", "timeout=0: seconds expected"),
        ("timeout=nan", "timeout=nan: seconds expected"),
        ("timeout=soon", "timeout=soon: a number"),
        ("pooler=yes", "pooler=yes: true or false"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(query: str, said: str) -> None:
    with pytest.raises(ValueError, match="expected") as refusal:
        read_url(f"postgresql://db/app?{query}")
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://app:secret@db/app", "postgresql://app:…@db/app"),
        ("postgresql://app:se:cr@et@db/app", "postgresql://app:…@db/app"),
        (
            "postgresql://db/app?user=a&password=secret&x=1",
            "postgresql://db/app?user=a&password=…&x=1",
        ),
        ("postgresql://app@db/app", "postgresql://app@db/app"),
        ("postgresql://db:5432/app", "postgresql://db:5432/app"),
        ("sqlite:///app.db", "sqlite:///app.db"),
    ],
)
def test_a_password_is_not_shown(url: str, shown: str) -> None:
    assert hide_password(url) == shown


@pytest.mark.parametrize("password", ["se/cret", "se#cret", "se?cret", "secret/"])
def test_a_password_that_is_not_spelt_as_in_urls_is_refused_and_not_shown(password: str) -> None:
    with pytest.raises(ValueError, match="%2F for /") as caught:
        read_url(f"postgresql://app:{password}@db.example/app")
    assert "se" not in str(caught.value).replace("postgresql", "")


@pytest.mark.parametrize("hosts", ["a:1,b:2", "[::1]:5432", "a", "a,b", ""])
def test_several_hosts_are_named_each_with_its_port(hosts: str) -> None:
    assert read_url(f"postgresql://app:x@{hosts}/app")[0] == f"postgresql://app:x@{hosts}/app"
