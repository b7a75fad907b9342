"""The command that asks: `validate`.

Knows its order of things. Must not know how a line looks.
"""

from __future__ import annotations

from rhtmx.api.client import Client
from rhtmx.cli import lines, records
from rhtmx.cli.connected import answer, connected
from rhtmx.cli.errors import FINE, REFUSED, explain
from rhtmx.cli.output import Output
from rhtmx.cli.requests import Server, Validate
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.errors import RhtmxError
from rhtmx.values.results import FormValidation, Validation

__all__ = ["validate"]


async def validate(server: Server, request: Validate, output: Output) -> int:
    """Ask whether a form, or one field of it, is valid, and print the verdict.

    Returns:
        The exit code.

    Raises:
        CommandError: there is no such form, or there was no answer in time.
        ConnectionClosed: there is no connection, and there will be none.
    """
    async with connected(server, output) as client:
        try:
            asked = _ask(client, request)
            result = await answer(server, request.form, asked, "try again, or raise --timeout")
        except ConnectionClosed:
            raise
        except RhtmxError as error:
            raise explain(error, request.form) from None
    if output.json:
        output.record(records.verdict(request.form, result, request.field))
    elif isinstance(result, Validation):
        output.line(lines.verdict(request.field or "", result, output.paint))
    else:
        for line in lines.form_verdict(request.values, result, output.paint):
            output.line(line)
    return FINE if result.valid else REFUSED


async def _ask(client: Client, request: Validate) -> Validation | FormValidation:
    if request.field is None:
        return await client.validate_form(request.form, request.values)
    value = request.values[request.field]
    return await client.validate_field(request.form, request.field, value, values=request.values)
