"""The formats that rules of CEL ask for, under the names that generated code calls.

Knows names only: `rhtmx.schema.formats` knows the formats.
"""

from __future__ import annotations

from rhtmx.schema.formats import is_email as cel_is_email
from rhtmx.schema.formats import is_host_and_port as cel_is_host_and_port
from rhtmx.schema.formats import is_hostname as cel_is_hostname
from rhtmx.schema.formats import is_ip as cel_is_ip
from rhtmx.schema.formats import is_ip_prefix as cel_is_ip_prefix
from rhtmx.schema.formats import is_uri as cel_is_uri
from rhtmx.schema.formats import is_uri_ref as cel_is_uri_ref

__all__ = [
    "cel_is_email",
    "cel_is_host_and_port",
    "cel_is_hostname",
    "cel_is_ip",
    "cel_is_ip_prefix",
    "cel_is_uri",
    "cel_is_uri_ref",
]
