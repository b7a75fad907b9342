"""URLs in messages, without their password.

Knows where a password stands in a URL. Must not know what the URL is of.
"""

from __future__ import annotations

import re

__all__ = ["hide_password"]

_PASSWORD = re.compile(r"(?<=//)([^:/@?#]*):.*@|((?:^|[?&])password=)[^&]*")


def hide_password(url: str) -> str:
    """Return a URL with `…` in the place of its password.

    Example:
        >>> hide_password("postgresql://app:secret@db/app")
        'postgresql://app:…@db/app'
    """
    return _PASSWORD.sub(
        lambda found: f"{found[1]}:…@" if found[1] is not None else f"{found[2]}…", url
    )
