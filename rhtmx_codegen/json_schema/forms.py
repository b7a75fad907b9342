"""Texts of a known form, in JSON Schema: its own formats, and patterns where a form is one.

Knows which form of `buf.validate` is which. Must not know fields, nor kinds.

A format is an annotation in JSON Schema 2020-12: validators may take no notice of it, and those
that do, do not all mean the same. So it says nothing by itself; a pattern does.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["BASE64", "DECIMAL", "DURATION", "FORMATS", "PATTERNS", "TIMESTAMP"]

_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9\\-]{0,61}[a-zA-Z0-9])?"
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_HEX = "[0-9a-fA-F]"

PATTERNS: Mapping[str, str] = {
    # As an email input of a page has it, in the HTML standard.
    "email": f"^[a-zA-Z0-9.!#$%&'*+\\/=?\\^_`{{|}}~\\-]+@{_LABEL}(?:\\.{_LABEL})*$",
    "ipv4": f"^{_OCTET}(?:\\.{_OCTET}){{3}}$",
    "tuuid": f"^{_HEX}{{32}}$",
    "ulid": "^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$",
    "uuid": f"^{_HEX}{{8}}-(?:{_HEX}{{4}}-){{3}}{_HEX}{{12}}$",
}
"""By the name of the check: just the texts that it takes."""

FORMATS: Mapping[str, str] = {
    "email": "email",
    "hostname": "hostname",
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "uri": "uri",
    "uri_ref": "uri-reference",
    "uuid": "uuid",
    "web_url": "uri",
}
"""By the name of the check: the nearest that JSON Schema has a word for."""

DECIMAL = "^(?:0|-?[1-9][0-9]*)$"
"""A whole number in the one way in which it is written."""

BASE64 = "^(?:[A-Za-z0-9+\\/_\\-]{4})*(?:[A-Za-z0-9+\\/_\\-]{2}(?:==)?|[A-Za-z0-9+\\/_\\-]{3}=?)?$"
"""Bytes: standard or for URLs, with its padding or without."""

DURATION = "^-?[0-9]{1,12}(?:\\.[0-9]{1,9})?s$"
"""A duration. JSON Schema's own format of that name is ISO 8601's, which this is not."""

TIMESTAMP = (
    "^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    "T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?"
    "(?:Z|[+\\-](?:[01][0-9]|2[0-3]):[0-5][0-9])$"
)
"""A point in time, but for days that a month does not have."""
