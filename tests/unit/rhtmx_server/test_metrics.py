"""Facts about `rhtmx_server.metrics`."""

from __future__ import annotations

import threading

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rhtmx.messages import Change, ErrorCode, Push
from rhtmx_server.metrics import Metrics


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def read(metrics: Metrics, name: str, **labels: str) -> float | None:
    """One sample of what Prometheus would read."""
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            if sample.name == f"rhtmx_{name}" and sample.labels == labels:
                return sample.value
    return None


def test_messages_are_counted_by_type_and_direction(metrics: Metrics) -> None:
    metrics.received(Push)
    metrics.received(Push)
    metrics.sent(Change)
    metrics.sent(Change, 3)
    assert read(metrics, "messages_received_total", type="push") == 2
    assert read(metrics, "messages_sent_total", type="change") == 4
    assert read(metrics, "messages_received_total", type="change") is None


def test_what_slow_readers_were_not_told_is_counted(metrics: Metrics) -> None:
    metrics.dropped(2)
    metrics.dropped(1)
    assert read(metrics, "ephemeral_dropped_total") == 3


def test_deliveries_are_counted(metrics: Metrics) -> None:
    metrics.delivered(500)
    metrics.delivered(1)
    assert read(metrics, "deliveries_total") == 501


def test_refusals_are_counted_by_the_spelling_of_their_code(metrics: Metrics) -> None:
    metrics.refused(ErrorCode.BAD_MESSAGE)
    metrics.refused(ErrorCode.BAD_MESSAGE)
    assert read(metrics, "rejected_total", code="bad_message") == 2


def test_handshakes_and_legacy_users_are_counted(metrics: Metrics) -> None:
    metrics.handshake_refused("origin")
    metrics.legacy_user("sync")
    assert read(metrics, "handshakes_refused_total", reason="origin") == 1
    assert read(metrics, "legacy_users_total", endpoint="sync") == 1


def test_connections_come_and_go_by_endpoint(metrics: Metrics) -> None:
    metrics.opened("unified")
    metrics.opened("unified")
    metrics.closed("unified")
    assert read(metrics, "connections", endpoint="unified") == 1


def test_gauges_can_be_asked_for_when_the_page_is(metrics: Metrics) -> None:
    figures = {"subscriptions": 3.0, "lagging_cursors": 1.0, "outbox_bytes": 4096.0}
    metrics.subscriptions.set_function(lambda: figures["subscriptions"])
    metrics.lagging.set_function(lambda: figures["lagging_cursors"])
    metrics.outbox_bytes.set_function(lambda: figures["outbox_bytes"])
    for name, value in figures.items():
        assert read(metrics, name) == value


def test_a_commit_is_measured_by_size_and_time(metrics: Metrics) -> None:
    metrics.committed(64, 0.003)
    assert read(metrics, "commit_batch_size_sum") == 64
    assert read(metrics, "commit_batch_size_bucket", le="32.0") == 0
    assert read(metrics, "commit_seconds_bucket", le="0.005") == 1
    assert read(metrics, "commit_seconds_bucket", le="0.002") == 0


def test_validators_are_measured_by_form(metrics: Metrics) -> None:
    metrics.validated("signup", 0.2)
    assert read(metrics, "validator_seconds_count", form="signup") == 1
    assert read(metrics, "validator_seconds_bucket", form="signup", le="0.1") == 0


def test_checks_are_measured_by_entity(metrics: Metrics) -> None:
    metrics.checked("tasks", 0.02)
    assert read(metrics, "check_seconds_count", entity="tasks") == 1
    assert read(metrics, "check_seconds_bucket", entity="tasks", le="0.01") == 0


def test_calls_of_grpc_are_counted_by_method(metrics: Metrics) -> None:
    metrics.called("Watch")
    metrics.called("Watch")
    assert read(metrics, "grpc_calls_total", method="Watch") == 2


def test_threads_given_up_are_counted_from_any_thread(metrics: Metrics) -> None:
    metrics.abandoned(1)
    metrics.abandoned(1)
    thread = threading.Thread(target=metrics.abandoned, args=(-1,))
    thread.start()
    thread.join()
    assert read(metrics, "validator_threads_abandoned") == 1


def test_readers_cut_off_are_counted(metrics: Metrics) -> None:
    metrics.stalled.inc()
    assert read(metrics, "stalled_total") == 1


def test_the_process_is_measured_too(metrics: Metrics) -> None:
    assert b"process_resident_memory_bytes" in metrics.render()


def test_two_servers_in_one_process_count_for_themselves(metrics: Metrics) -> None:
    metrics.received(Push)
    assert read(Metrics(), "messages_received_total", type="push") is None
