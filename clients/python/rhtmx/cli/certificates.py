"""Whom the tool trusts, and who it is, from files.

Knows the files of `--ca`, `--cert` and `--key`. Must not know servers.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from rhtmx.cli.errors import USAGE, CommandError
from rhtmx.core.tls_failures import no_password

__all__ = ["context"]


def context(ca: Path | None, cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """What TLS is done with; `None` for what the system has.

    Args:
        ca: whom to trust, as PEM, instead of whom the system trusts.
        cert: who this client is, as PEM.
        key: the key to `cert`, if it is not in the same file.

    Raises:
        CommandError: a file cannot be used.
    """
    if ca is None and cert is None:
        return None
    try:
        made = ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as failure:
        raise _unusable(f"--ca {ca}", failure, "certificates in PEM expected") from None
    if cert is not None:
        try:
            made.load_cert_chain(cert, key, password=no_password)
        except (OSError, ValueError) as failure:
            files = f"--cert {cert}" if key is None else f"--cert {cert}, --key {key}"
            words = "a certificate in PEM and its own key without a password expected"
            raise _unusable(files, failure, words) from None
    return made


def _unusable(files: str, failure: OSError | ValueError, expected: str) -> CommandError:
    """What is wrong with files that cannot be read, or hold something else."""
    if isinstance(failure, ssl.SSLError | ValueError):
        return CommandError(f"{files}: {expected}", USAGE)
    return CommandError(f"{files} cannot be read: {failure.strerror or failure}", USAGE)
