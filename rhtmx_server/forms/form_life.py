"""What a form asks of the app that it belongs to: whether it runs, and what judges its values.

Knows verdicts. Must not know forms, nor how an app is started.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from rhtmx_server.access.grant import Grant
from rhtmx_server.forms.verdict import FormVerdict
from rhtmx_server.thread_bridge import BridgedLife

__all__ = ["FormJudge", "FormLife"]

FormT = TypeVar("FormT", contravariant=True)


class FormJudge(Protocol[FormT]):
    """Says whether the values of a form are valid, while the app runs."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Where it runs."""

    async def verdict(
        self, form: FormT, values: Mapping[str, Any], who: Grant | None, receipt: str | None
    ) -> FormVerdict:
        """See `Form.validate`."""


class FormLife(BridgedLife, Protocol[FormT]):
    """When and where the app of a form runs."""

    def judge(self) -> FormJudge[FormT]:
        """What judges its values now.

        Raises:
            RhtmxError: `SHUTTING_DOWN`, the app does not run; `NOT_SUPPORTED`, it runs in another
                process.
        """
