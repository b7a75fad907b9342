"""Certificates for tests, made by the `openssl` command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.support.process import run

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as files."""

    cert: Path
    key: Path

    @property
    def texts(self) -> tuple[bytes, bytes]:
        return self.key.read_bytes(), self.cert.read_bytes()


def authority(folder: Path, name: str) -> Pair:
    """A certificate that signs others."""
    made = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    _run("req", "-x509", *EC, "-days", "2", "-subj", f"/CN={name}", *_out(made))
    return made


def signed(
    folder: Path, name: str, by: Pair, names: str = "DNS:localhost,IP:127.0.0.1", days: int = 2
) -> Pair:
    """A certificate, signed by an authority.

    Args:
        folder: where the files go.
        name: what they are called.
        by: the authority.
        names: of what machines; this one by default.
        days: for how long, from now on; below zero it has expired.
    """
    made = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    request, extensions = folder / f"{name}.csr", folder / f"{name}.ext"
    extensions.write_text(f"subjectAltName={names}\n")
    _run("req", *EC, "-subj", f"/CN={name}", "-keyout", str(made.key), "-out", str(request))
    _run(
        *("x509", "-req", "-days", str(days), "-in", str(request), "-extfile", str(extensions)),
        *("-CA", str(by.cert), "-CAkey", str(by.key), "-CAcreateserial", "-out", str(made.cert)),
    )
    return made


def _out(made: Pair) -> tuple[str, ...]:
    return ("-keyout", str(made.key), "-out", str(made.cert))


def _run(*arguments: str) -> None:
    run("openssl", *arguments)
