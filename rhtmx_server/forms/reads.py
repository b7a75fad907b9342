"""By which entities the rules of a form judge.

Knows forms and names of entities. Must not know how rules are run, nor when records change.
"""

from __future__ import annotations

from collections.abc import Collection

from rhtmx_server.conflict_log import RESERVED
from rhtmx_server.forms.form import Form
from rhtmx_server.forms.sections import Section
from rhtmx_server.forms.validators import Validator
from rhtmx_server.names import suggestion

__all__ = ["reads_of", "require_read"]


def require_read(form: Form, entities: Collection[str]) -> None:
    """Make sure that there are all entities by which the rules of a form judge.

    Args:
        form: the form.
        entities: those that there are.

    Raises:
        ValueError: one is not there: nothing would ever change in it.
    """
    for rule in form.validators:
        for each in rule.reads:
            if each not in entities and not each.startswith(RESERVED):
                near = suggestion(each, entities)
                raise ValueError(f"{rule.name}: reads: no entity {each!r} is declared{near}")


def reads_of(form: Form, section: Section | None) -> Collection[str]:
    """The entities by which a section of a form is judged.

    Args:
        form: the form.
        section: of those that it does not have nothing is read; `None` for all that it has.
    """
    if section is None:
        rules = form.validators
    elif isinstance(section, int):
        rules = form.checks[section : section + 1]
    else:
        steps = form.fields.get(section, ())
        rules = [each for each in steps if isinstance(each, Validator)]
    return {entity for rule in rules for entity in rule.reads}
