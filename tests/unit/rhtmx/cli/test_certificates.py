"""Facts about `rhtmx.cli.certificates`."""

from __future__ import annotations

import os
import shutil
import ssl
from pathlib import Path

import pytest

from rhtmx.cli.certificates import context
from rhtmx.cli.errors import USAGE, CommandError
from tests.support.certificates import Pair, authority, signed
from tests.support.process import run

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def ca(folder: Path) -> Pair:
    return authority(folder, "ca")


@pytest.fixture(scope="module")
def own(folder: Path, ca: Pair) -> Pair:
    return signed(folder, "own", ca)


def refused(ca: Path | None, cert: Path | None = None, key: Path | None = None) -> str:
    with pytest.raises(CommandError) as raised:
        context(ca, cert, key)
    assert raised.value.status == USAGE
    return raised.value.message


def test_without_files_the_systems_own_is_used() -> None:
    assert context(None, None, None) is None


def test_an_authority_takes_the_place_of_those_of_the_system(ca: Pair) -> None:
    made = context(ca.cert, None, None)
    assert made is not None
    assert made.cert_store_stats()["x509_ca"] == 1
    assert (made.verify_mode, made.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_certificate_may_have_its_key_in_the_same_file(own: Pair, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(own.key.read_bytes() + own.cert.read_bytes())
    assert context(None, own.cert, own.key) is not None
    assert context(None, both, None) is not None


def test_a_file_that_is_not_there_is_named(own: Pair) -> None:
    nowhere = Path("/nowhere.pem")
    assert refused(nowhere) == "--ca /nowhere.pem cannot be read: No such file or directory"
    assert refused(None, nowhere).startswith("--cert /nowhere.pem cannot be read: No such")
    assert refused(None, own.cert, nowhere).startswith(f"--cert {own.cert}, --key /nowhere.pem can")


def test_a_file_with_something_else_in_it_is_named(own: Pair, ca: Pair, tmp_path: Path) -> None:
    junk = tmp_path / "junk.pem"
    junk.write_text("junk")
    assert refused(junk) == f"--ca {junk}: certificates in PEM expected"
    words = "a certificate in PEM and its own key without a password expected"
    assert refused(None, own.cert) == f"--cert {own.cert}: {words}"
    assert refused(None, own.cert, ca.key) == f"--cert {own.cert}, --key {ca.key}: {words}"


def test_a_key_with_a_password_is_refused_and_not_asked_for(own: Pair, tmp_path: Path) -> None:
    key = tmp_path / "locked.key"
    locked = ("-aes256", "-passout", "pass:hush", "-in", own.key, "-out", key)
    run("openssl", "ec", *locked)
    assert "its own key without a password" in refused(None, own.cert, key)


def test_a_file_that_can_be_read_only_once_is_read_once(ca: Pair, tmp_path: Path) -> None:
    ours, its = os.pipe()
    os.write(its, ca.cert.read_bytes())
    os.close(its)
    assert context(Path(f"/dev/fd/{ours}"), None, None) is not None
    os.close(ours)
