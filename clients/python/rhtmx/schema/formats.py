"""Texts of a known form: addresses, hosts, names, headers, identifiers.

Knows for each form the document that defines it, and answers yes or no about one text.
Must not know rules, words of errors, or where a text comes from: nothing is trimmed here.

Where `buf.validate` has a rule for a form, the verdict is that of its conformance suite.
Every function takes time in proportion to the text, whatever the text is: an expression
below either repeats one class of characters, or its parts begin with what the part before
cannot hold.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

__all__ = [
    "is_address",
    "is_email",
    "is_header_name",
    "is_header_value",
    "is_host_and_port",
    "is_hostname",
    "is_ip",
    "is_ip_prefix",
    "is_protobuf_dot_fqn",
    "is_protobuf_fqn",
    "is_tuuid",
    "is_ulid",
    "is_uri",
    "is_uri_ref",
    "is_uuid",
    "is_web_url",
]

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"  # RFC 1123, 2.1
_EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*")
_HOSTNAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_HOST_LENGTH = 253  # RFC 1035, 2.3.4: 255 octets with the lengths of the first and last label

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"  # RFC 3986, 3.2.2
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
_GROUP = re.compile(r"[0-9a-fA-F]{1,4}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,4}")  # of a port, or of the bits of a prefix
_MOST_PORT = 65535
_IPV6_GROUPS = 8

_UNRESERVED = r"a-zA-Z0-9._~\-"  # RFC 3986, 2.3
_SUB_DELIMS = r"!$&'()*+,;="  # RFC 3986, 2.2
_IN_A_PATH = rf"{_UNRESERVED}{_SUB_DELIMS}:@%/"
_URI = re.compile(
    r"(?:(?P<scheme>[a-zA-Z][a-zA-Z0-9+.\-]*):)?"
    r"(?://(?P<authority>[^/?#]*)(?=[/?#]|\Z))?"
    rf"(?P<path>[{_IN_A_PATH}]*)(?:\?[{_IN_A_PATH}?]*)?(?:\#[{_IN_A_PATH}?]*)?"
)
_NOTHING_ENCODED = re.compile(r"%(?![0-9a-fA-F]{2})")
_USERINFO = re.compile(rf"[{_UNRESERVED}{_SUB_DELIMS}:%]*")
_REG_NAME = re.compile(rf"[{_UNRESERVED}{_SUB_DELIMS}%]*")
_ZONE = re.compile(rf"[{_UNRESERVED}%]+")  # RFC 6874, 2
_IP_FUTURE = re.compile(rf"[vV][0-9a-fA-F]+\.[{_UNRESERVED}{_SUB_DELIMS}:]+")
_PORT_OF_A_URI = re.compile(r"(?::[0-9]*)?")

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_TRIMMED_UUID = re.compile(r"[0-9a-fA-F]{32}")
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}")
_NAME = r"[A-Za-z_][A-Za-z_0-9]*"
_FULL_NAME = re.compile(rf"{_NAME}(?:\.{_NAME})*")

# The comma is no letter of a token in RFC 9110, 5.6.2, but `buf.validate` takes it.
_HEADER_NAME = re.compile(r":?[0-9a-zA-Z!#$%&'*+,.^_|~`\-]+")
_HEADER_NAME_LOOSE = re.compile(r"[^\0\n\r]+")
_HEADER_VALUE = re.compile(r"[^\0-\x08\n-\x1f\x7f]*")
_HEADER_VALUE_LOOSE = re.compile(r"[^\0\n\r]*")

_WEB_URL = re.compile(
    r"[hH][tT][tT][pP][sS]?://(?P<authority>[^/?#]*)"
    r"[^\0-\x20\x7f-\xa0\\<>\"^`{|}\u2028\u2029]*"
)
# Of one of these, NFKC makes a text with one of "/?#@:" in it: a reader may see another host.
_NOT_IN_AN_AUTHORITY = re.compile(
    r"[\0-\x20\x7f-\xa0\\<>\"^`{|}\u2028\u2029"
    r"\u2047-\u2049\u2100\u2101\u2105\u2106\u2a74\ufe13\ufe16\ufe55\ufe56\ufe5f\ufe6b"
    r"\uff03\uff0f\uff1a\uff1f\uff20]"
)
_WEB_HOST = re.compile(r"(?:\[(?P<ip>[^\[\]]*)\]|(?P<name>[^\[\]:]+))(?::(?P<port>[0-9]*))?")
_WEB_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")  # RFC 1123, 2.1, and its international form


def is_email(text: str) -> bool:
    """Whether a text is an email address, as an email input of a page takes it.

    By the HTML standard, "valid email address": `a@localhost` is one, and neither a quoted
    name nor a letter that is not ASCII may be in it.

    Args:
        text: the text as it is; space around it is not ignored.

    Example:
        >>> is_email("ada@example.com"), is_email("ada@example..com")
        (True, False)
    """
    return _EMAIL.fullmatch(text) is not None


def is_hostname(text: str) -> bool:
    """Whether a text is the name of a host: labels of ASCII letters, digits and hyphens.

    By RFC 1034, 3.5 and RFC 1123, 2.1: up to 253 characters, a dot at the end not counted,
    and the last label is no number.

    Example:
        >>> is_hostname("api.example.com."), is_hostname("127.0.0.1")
        (True, False)
    """
    name = text.removesuffix(".")
    if len(name) > _HOST_LENGTH or not _HOSTNAME.fullmatch(name):
        return False
    return not name.rpartition(".")[2].isdigit()


def is_ip(text: str, version: int = 0) -> bool:
    """Whether a text is an IP address: `192.0.2.1`, `2001:db8::1`, `fe80::1%eth0`.

    By RFC 3986, 3.2.2 (no leading zero) and RFC 4291, 2.2; what follows the `%` is any text
    without a null character (RFC 4007, 11.2).

    Args:
        text: the text as it is.
        version: 4 or 6; 0 for either.
    """
    if version in (0, 4) and _IPV4.fullmatch(text):
        return True
    address, percent, zone = text.partition("%")
    if version not in (0, 6) or (percent and (not zone or "\0" in zone)):
        return False
    return _ipv6(address) is not None


def is_ip_prefix(text: str, version: int = 0, strict: bool = False) -> bool:
    """Whether a text is an IP address with a number of bits: `192.0.2.0/24`.

    By RFC 4632, 3.1 and RFC 4291, 2.3; no zone may be in it.

    Args:
        text: the text as it is.
        version: 4 or 6; 0 for either.
        strict: all bits that follow the prefix are zero.
    """
    address, _, length = text.partition("/")
    groups = (version in (0, 4) and _ipv4(address)) or (version in (0, 6) and _ipv6(address))
    if not groups or not _NUMBER.fullmatch(length) or int(length) > 16 * len(groups):
        return False
    if not strict:
        return True
    bits = 0
    for group in groups:
        bits = bits << 16 | group
    return not bits & ((1 << (16 * len(groups) - int(length))) - 1)


def _ipv4(text: str) -> list[int] | None:
    """The two groups of 16 bits of an IPv4 address."""
    if not _IPV4.fullmatch(text):
        return None
    one, two, three, four = map(int, text.split("."))
    return [one << 8 | two, three << 8 | four]


def _ipv6(text: str) -> list[int] | None:
    """The eight groups of 16 bits of an IPv6 address."""
    before, double, after = text.partition("::")
    head = _ipv6_groups(before, last=not double)
    tail = _ipv6_groups(after, last=True)
    if head is None or tail is None:
        return None
    left = _IPV6_GROUPS - len(head) - len(tail)
    if (left < 1) if double else (left != 0):
        return None
    return head + [0] * left + tail


def _ipv6_groups(text: str, *, last: bool) -> list[int] | None:
    """The groups between colons; the last one of an address may be an IPv4 address."""
    if not text:
        return []
    *parts, end = text.split(":", _IPV6_GROUPS)
    groups = _ipv4(end) if last else None
    if groups is None:
        parts, groups = [*parts, end], []
    if not all(map(_GROUP.fullmatch, parts)):
        return None
    return [int(part, 16) for part in parts] + groups


def is_address(text: str) -> bool:
    """Whether a text is a host, by its name or by its IP address."""
    return is_hostname(text) or is_ip(text)


def is_host_and_port(text: str, port_required: bool) -> bool:
    """Whether a text is a host and a port: `example.com:80`, `192.0.2.1:80`, `[::1]:80`.

    Args:
        text: the text as it is.
        port_required: a host alone does not do.
    """
    if text.startswith("["):
        host, bracket, port = text[1:].rpartition("]")
        good = bool(bracket) and is_ip(host, 6)
    else:
        host, colon, number = text.rpartition(":") if ":" in text else (text, "", "")
        good = is_hostname(host) or is_ip(host, 4)
        port = colon + number
    return good and (_is_port(port[1:]) if port.startswith(":") else not (port or port_required))


def _is_port(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text)) and int(text) <= _MOST_PORT


def is_uri(text: str) -> bool:
    """Whether a text is a URI, with its scheme: `https://example.com/?q`, `mailto:a@b`.

    By RFC 3986, with a zone in an IPv6 address by RFC 6874. What is encoded in the name of a
    host is UTF-8. A URI may run code where it is a link: for one, use `is_web_url`.
    """
    uri = _uri(text)
    return uri is not None and uri["scheme"] is not None


def is_uri_ref(text: str) -> bool:
    """Whether a text is a URI, or a part of one that is read relative to another: `../a?b#c`.

    By RFC 3986, 4.1, as `is_uri`; an empty text is one.
    """
    uri = _uri(text)
    if uri is None:
        return False
    # RFC 3986, 4.2: what is before a colon in the first segment would be a scheme.
    relative = uri["scheme"] is None and uri["authority"] is None
    return not relative or ":" not in uri["path"].partition("/")[0]


def _uri(text: str) -> re.Match[str] | None:
    """The parts of a URI, or of a part of one."""
    uri = _URI.fullmatch(text)
    if not uri or _NOTHING_ENCODED.search(text) or not _has_good_authority(uri):
        return None
    return uri


def _has_good_authority(uri: re.Match[str]) -> bool:
    if uri["authority"] is None:
        return True
    user, _, host = uri["authority"].rpartition("@")
    if not _USERINFO.fullmatch(user):
        return False
    if host.startswith("["):
        literal, bracket, port = host[1:].partition("]")
        good = bool(bracket) and _is_ip_literal(literal)
    else:
        name, colon, number = host.partition(":")
        good, port = bool(_REG_NAME.fullmatch(name)) and _is_utf8(name), colon + number
    return good and bool(_PORT_OF_A_URI.fullmatch(port))


def _is_ip_literal(text: str) -> bool:
    address, percent, zone = text.partition("%25")
    if percent and not (_ZONE.fullmatch(zone) and _is_utf8(zone)):
        return False
    return _ipv6(address) is not None or bool(_IP_FUTURE.fullmatch(text))


def _is_utf8(text: str) -> bool:
    try:
        unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        return False
    return True


def is_web_url(text: str) -> bool:
    """Whether a text is an absolute `http` or `https` address, as a link may lead to it.

    By what browsers take: letters and digits of any language may be in it. Never one with
    another scheme, such as `javascript:`. Its host is a name of labels of up to 63 characters,
    or an IP address; its port is not 0. A letter of a name is one that this Python knows: the
    letters that Unicode adds each year are refused until then.

    Args:
        text: the text as it is; space around it is not ignored.

    Example:
        >>> is_web_url("https://bücher.example/ä"), is_web_url("javascript:alert(1)")
        (True, False)
    """
    url = _WEB_URL.fullmatch(text)
    if not url or _NOT_IN_AN_AUTHORITY.search(url["authority"]):
        return False
    user, _, host = url["authority"].rpartition("@")
    parts = _WEB_HOST.fullmatch(host)
    if not parts or "[" in user or "]" in user or not _is_web_port(parts["port"] or ""):
        return False
    name = parts["name"]
    if name is None:
        return is_ip(parts["ip"], 6) and parts["ip"].count("%") < 2
    labels = name.removesuffix(".").split(".")
    return len(name) <= _HOST_LENGTH and all(map(_WEB_LABEL.fullmatch, labels))


def _is_web_port(digits: str) -> bool:
    number = digits.lstrip("0")
    return not digits or (0 < len(number) <= 5 and int(number) <= _MOST_PORT)


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID with its hyphens (RFC 9562, 4), of any version."""
    return _UUID.fullmatch(text) is not None


def is_tuuid(text: str) -> bool:
    """Whether a text is a UUID without its hyphens."""
    return _TRIMMED_UUID.fullmatch(text) is not None


def is_ulid(text: str) -> bool:
    """Whether a text is a ULID: 26 letters of Crockford's base 32, the first one at most 7."""
    return _ULID.fullmatch(text) is not None


def is_protobuf_fqn(text: str) -> bool:
    """Whether a text is the full name of something in Protobuf: `my.package.Message`."""
    return _FULL_NAME.fullmatch(text) is not None


def is_protobuf_dot_fqn(text: str) -> bool:
    """Whether a text is such a name with a dot before it: `.my.package.Message`."""
    return text.startswith(".") and is_protobuf_fqn(text[1:])


def is_header_name(text: str, strict: bool = True) -> bool:
    """Whether a text is the name of an HTTP header, or of a pseudo-header as `:path`.

    Args:
        text: the text as it is.
        strict: by RFC 9110, 5.1; else it may hold anything but NUL, LF and CR.
    """
    return (_HEADER_NAME if strict else _HEADER_NAME_LOOSE).fullmatch(text) is not None


def is_header_value(text: str, strict: bool = True) -> bool:
    """Whether a text is the value of an HTTP header; an empty text is one.

    Args:
        text: the text as it is.
        strict: no control character but a tab (RFC 9110, 5.5); else any but NUL, LF and CR.
    """
    return (_HEADER_VALUE if strict else _HEADER_VALUE_LOOSE).fullmatch(text) is not None
