"""Facts about `rhtmx_server.cli.table`."""

from __future__ import annotations

from rhtmx_server.cli.table import GROUPS, Option, OptionKind


def options() -> dict[str, Option]:
    return {option.flag: option for group in GROUPS.values() for option in group}


def test_the_name_of_a_setting_follows_from_the_flag_unless_said() -> None:
    assert Option("--log-format", "F", "").name == "log_format"
    assert Option("--origin", "O", "", setting="origins").name == "origins"


def test_the_variable_follows_from_the_flag() -> None:
    assert Option("--log-format", "F", "").variable == "RHTMX_LOG_FORMAT"


def test_defaults_are_those_of_the_settings_as_one_would_write_them() -> None:
    assert options()["--port"].help.endswith("(default: 3000)")
    assert options()["--heartbeat"].help.endswith("(default: 20)")
    assert options()["--deflate"].help.endswith("(default: on)")
    assert options()["--max-size"].help.endswith("(default: 64KiB)")


def test_no_flag_comes_twice() -> None:
    assert len(options()) == sum(len(group) for group in GROUPS.values())


def test_sizes_are_written_in_bytes() -> None:
    sizes = {option.flag for option in options().values() if option.kind is OptionKind.SIZE}
    assert sizes == {option.flag for option in options().values() if option.metavar == "BYTES"}
