"""All that the verdict of a validator rests on, as bytes: of other facts it may be another. Pure.

Knows validators and what they are given. Must not know receipts, nor how anything is run.

What a validator can see is among the facts, and nothing else, so that what it cannot see costs no
run: its own field, or all values of the form if it has a parameter `form` or is a check; roles and
claims if it has a parameter `who`; where the logs end that it `reads`. Always among them: the
store, the form, which rule it is and its version, what its field is registered for, the subject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rhtmx.values.form_value import Entry
from rhtmx_server.access.grant import Grant
from rhtmx_server.forms.canonical import canonical, packed
from rhtmx_server.forms.entries import FormValues
from rhtmx_server.forms.validators import Validator

__all__ = ["facts_of"]


def facts_of(
    rules: Sequence[Validator],
    values: FormValues,
    who: Grant,
    epoch: str,
    ends: Mapping[str, int],
) -> list[bytes]:
    """The facts of each rule.

    Args:
        rules: of one form, in their order.
        values: those of the form.
        who: who asks.
        epoch: of the store: what another application has found valid with the same secret, such as
            the one that is tried out before it goes live, is no fact here.
        ends: of each entity that one of them reads, the version at which its log ends now.
    """
    whole = None
    found = []
    for place, rule in enumerate(rules):
        if rule.sees_form:
            whole = whole or _values(values.entries)
            seen = whole
        else:
            seen = _entries(values.entries[rule.field])
        found.append(
            packed(
                epoch.encode(),
                rule.form.encode(),
                rule.field.encode(),
                str(place).encode(),
                rule.version,
                canonical(tuple(rule.kind), _shown),
                seen,
                _rights(who, rule),
                canonical([(entity, ends[entity]) for entity in rule.reads], _shown),
            )
        )
    return found


def _values(entries: Mapping[str, Sequence[Entry]]) -> bytes:
    # In their order: `form` can be iterated, and then the order is something that it shows.
    return packed(*(packed(_text(name), _entries(each)) for name, each in entries.items()))


def _entries(entries: Sequence[Entry]) -> bytes:
    return packed(*map(_entry, entries))


def _entry(entry: Entry) -> bytes:
    if isinstance(entry, str):
        return b"t" + _text(entry)
    return b"f" + packed(_text(entry.name), str(entry.size).encode(), _text(entry.type))


def _text(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def _rights(who: Grant, rule: Validator) -> bytes:
    subject = _text(who.subject)
    if not rule.sees_who:
        return packed(subject)
    return packed(subject, canonical(frozenset(who.roles), _shown), canonical(who.claims, _shown))


def _shown(value: object) -> bytes:
    """A claim that is no plain value, as it shows itself."""
    return packed(type(value).__qualname__.encode(), repr(value).encode())
