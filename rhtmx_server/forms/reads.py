"""By which entities the rules of a form judge.

Knows forms and names of entities. Must not know how rules are run, nor when records change.
"""

from __future__ import annotations

from collections.abc import Collection

from rhtmx_server.conflict_log import RESERVED
from rhtmx_server.forms.form import Form
from rhtmx_server.names import suggestion

__all__ = ["require_read"]


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
