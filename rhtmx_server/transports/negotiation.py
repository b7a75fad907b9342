"""Which of several forms of a document a request wants. Pure.

Knows `Accept` and `Accept-Encoding` (RFC 9110, sections 12.4.2, 12.5.1 and 12.5.3). Must not know
which documents there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["choose", "takes_gzip"]


def choose(accept: Sequence[str], offers: Sequence[str]) -> str | None:
    """Choose a media type.

    Args:
        accept: what was given under `Accept`; nothing takes everything.
        offers: the media types that there are, the best first.

    Returns:
        The one that is wanted most; of several, the first. `None` if none is taken.

    Example:
        >>> choose(["text/html, application/*;q=0.5"], ["application/schema+json", "text/plain"])
        'application/schema+json'
    """
    ranges = list(_weighted(accept))
    if not ranges:
        return offers[0]
    weights = [_weight(ranges, offer) for offer in offers]
    best = max(weights)
    return offers[weights.index(best)] if best > 0 else None


def takes_gzip(accept: Sequence[str]) -> bool:
    """Whether a body may be compressed with gzip.

    Args:
        accept: what was given under `Accept-Encoding`; nothing asks for the body as it is.

    Example:
        >>> takes_gzip(["br, gzip"]), takes_gzip(["gzip;q=0, *"]), takes_gzip([])
        (True, False, False)
    """
    weights = dict(_weighted(accept))
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weighted(values: Sequence[str]) -> Iterator[tuple[str, float]]:
    """What is named in a header, in lower case, with its weight."""
    for part in ",".join(values).split(","):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        if name:
            yield name, _quality(parameters)


def _quality(parameters: Sequence[str]) -> float:
    for each in parameters:
        name, _, value = each.partition("=")
        if name.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0


def _weight(ranges: Sequence[tuple[str, float]], offer: str) -> float:
    """What the most exact of the ranges that take it says of an offer."""
    kind = offer.partition("/")[0]
    for wanted in (offer, f"{kind}/*", "*/*"):
        weights = [weight for name, weight in ranges if name == wanted]
        if weights:
            return max(weights)
    return 0.0
