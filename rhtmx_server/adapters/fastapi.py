"""Forms in FastAPI: a dependency that judges the body of a request.

Knows how FastAPI reads a body, and how it says what is wrong with one. Must not know rules, nor
how they are run.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from fastapi import Depends, HTTPException, Request
from fastapi.exceptions import RequestValidationError

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.grant import Grant
from rhtmx_server.forms.form import Form
from rhtmx_server.forms.verdict import FormVerdict

__all__ = ["validated"]

_STATUS: Mapping[ErrorCode, int] = {
    ErrorCode.BAD_MESSAGE: 400,
    ErrorCode.UNKNOWN_FORM: 400,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.TIMEOUT: 503,
    ErrorCode.SHUTTING_DOWN: 503,
}
"""What a request is answered that cannot be judged; for anything else it is 500."""


_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def _nobody() -> None:
    return None


def validated(
    form: Form, *, who: Callable[..., Any] = _nobody, raises: bool = True
) -> Callable[..., AsyncIterator[FormVerdict]]:
    """A dependency that is the verdict on the body of the request: a form, or an object of JSON.

    A receipt that the page has sent along is used.

    Args:
        form: judges it.
        who: a dependency that is the `Grant` of whoever has sent the request, as `authenticate`
            of the app says it; without it the app itself asks.
        raises: whether a body that is not valid is answered with 422, as FastAPI answers one; else
            the handler looks at the verdict.

    Example:
        >>> from typing import Annotated
        >>> from fastapi import Depends, FastAPI
        >>> api = FastAPI()
        >>> @api.post("/sign-up")
        ... async def sign_up(
        ...     verdict: Annotated[FormVerdict, Depends(validated(app.form("signup")))],
        ... ) -> str:
        ...     return f"welcome, {verdict.cleaned['email']}"
    """

    async def verdict(
        request: Request,
        grant: Grant | None = Depends(who),  # noqa: B008 (so dependencies are declared)
    ) -> AsyncIterator[FormVerdict]:
        try:
            found = await _judged(form, request, grant)
            if raises and not found:
                problems = [_problem(each.field, each.error) for each in found.errors]
                raise RequestValidationError(problems)
            yield found
        finally:
            await request.close()  # uploads: the handler has read what it wanted

    return verdict


async def _judged(form: Form, request: Request, who: Grant | None) -> FormVerdict:
    values = await _values(request)
    try:
        return await form.validate(values, who=who)
    except RhtmxError as error:
        if error.code not in _STATUS:
            raise
        raise HTTPException(_STATUS[error.code], error.message) from None


async def _values(request: Request) -> Mapping[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _FORMS:
        return await request.form()
    if kind != "application/json" and not kind.endswith("+json"):
        if await request.body():  # else nothing was filled in, which the rules have words for
            raise HTTPException(415, f"a form or an object of JSON expected, not {kind or 'this'}")
        return {}
    try:
        values = await request.json()
    except (ValueError, RecursionError):
        raise RequestValidationError(
            [_problem("", "the body is no JSON", "json_invalid")]
        ) from None
    if not isinstance(values, dict):
        wrong = _problem("", "the body is to be an object of JSON", "dict_type")
        raise RequestValidationError([wrong])
    return values


def _problem(field: str, words: str, kind: str = "value_error") -> dict[str, Any]:
    """One entry of `detail`; without what was entered: that may be a password."""
    return {"type": kind, "loc": ("body", field) if field else ("body",), "msg": words}
