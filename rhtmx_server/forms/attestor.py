"""Says which rules of a form need not be run, and attests those that were.

Knows receipts, a clock, and whom to ask where logs end. Must not know how rules are run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from rhtmx.errors import RhtmxError
from rhtmx_server.access.grant import Grant
from rhtmx_server.forms.entries import FormValues
from rhtmx_server.forms.form import Form
from rhtmx_server.forms.receipts import Receipts
from rhtmx_server.forms.rule_facts import facts_of
from rhtmx_server.forms.validators import Validator

__all__ = ["NOTHING", "Attestation", "Attestor"]


@dataclass(frozen=True, slots=True)
class Attestation:
    """What is known of the rules of a form before they are run.

    Args:
        facts: what each of them would judge.
        now: when that was found out; microseconds since 1970.
        skipped: those that need not be run.
        given: the receipt that says so.
    """

    facts: Sequence[bytes] = ()
    now: int = 0
    skipped: Collection[Validator] = ()
    given: str | None = None


NOTHING = Attestation()
"""Nobody has a receipt, nor wants one."""


class Attestor:
    """Takes and gives receipts.

    Args:
        receipts: makes them.
        clock: microseconds since 1970.
        epoch: that of the store.
        end: the version at which the log of an entity ends in the store, whoever has written
            there.
    """

    def __init__(
        self,
        receipts: Receipts,
        clock: Callable[[], int],
        epoch: Callable[[], str],
        end: Callable[[str], Awaitable[int]],
    ) -> None:
        self._receipts = receipts
        self._clock = clock
        self._epoch = epoch
        self._end = end

    async def look(
        self, form: Form, values: FormValues, who: Grant, given: str | None
    ) -> Attestation:
        """Find out what the rules of a form would judge now. To be called before they are run.

        Args:
            form: the form.
            values: its values.
            who: who asks.
            given: the receipt that came with them.
        """
        rules = form.attested
        if not rules:
            return NOTHING
        # Before anything is run or read: what is attested is never older than it seems.
        now = self._clock()
        try:
            # Each once: rules of one form mostly read the same.
            read = {each for rule in rules for each in rule.reads}
            ends = {each: await self._end(each) for each in sorted(read)}
            epoch = self._epoch()
        except RhtmxError:
            return NOTHING  # the store is not there: they are run, and say so if they need it
        facts = facts_of(rules, values, who, epoch, ends)
        places = self._receipts.attested(given, facts, now) if given else ()
        return Attestation(facts, now, frozenset(rules[place] for place in places), given)

    def receipt(self, known: Attestation) -> str | None:
        """The receipt for a form that was found valid.

        Where one was used it is given back as it is: a new one would make what it attests younger.
        """
        if known.skipped:
            return known.given
        return self._receipts.issue(known.facts, known.now)
