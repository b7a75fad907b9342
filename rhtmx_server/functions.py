"""The program's own functions: what is refused when one is registered, and how it is called.

Knows the kinds of functions there are: plain, `async`, and those that can never
work. Must not know what they are for.

One rule for all of them: an `async` function runs on the event loop, a plain one
in a thread, so that it may block.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Collection, Hashable

from rhtmx_server.threads import DaemonPool

__all__ = [
    "blocks",
    "call",
    "name_of",
    "require_arguments",
    "require_one_argument",
    "takes",
    "was_cancelled",
]

_KEYWORD_ONLY = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def name_of(function: object) -> str:
    """What a function is called in messages and in the log."""
    return str(getattr(function, "__qualname__", type(function).__qualname__))


def require_one_argument(
    function: object, name: str, rule: str, others: Collection[str] = ()
) -> None:
    """Make sure that a function can be called with one argument, and does something then.

    Args:
        function: what was registered.
        name: what it is called, for the error.
        rule: what it may take, in words: `(value), and form if it wants`.
        others: parameters that it may want besides, by name.

    Raises:
        TypeError: it cannot, or never would.
    """
    _require_function(function, name, rule)
    assert callable(function)
    parameters = _parameters(function)
    if parameters is None:
        return
    takes_one = parameters and parameters[0].kind not in _KEYWORD_ONLY
    needs_more = any(
        p.default is p.empty and p.kind not in _VARIABLE and p.name not in others
        for p in parameters[1:]
    )
    if not takes_one or needs_more:
        raise TypeError(f"{name}: takes {rule}, not {inspect.signature(function)}")


def require_arguments(function: object, name: str, count: int, rule: str) -> None:
    """Make sure that a function can be called with so many arguments, in order.

    Args:
        function: what was registered.
        name: what it is called, for the error.
        count: how many arguments it is given.
        rule: what it takes, in words: `(who, before, after)`.

    Raises:
        TypeError: it cannot, or never would.
    """
    _require_function(function, name, rule)
    assert callable(function)
    if _parameters(function) is None:
        return
    signature = inspect.signature(function)
    try:
        signature.bind(*range(count))
    except TypeError:
        raise TypeError(f"{name}: takes {rule}, not {signature}") from None


def _require_function(function: object, name: str, rule: str) -> None:
    """Refuse what cannot be called, or does nothing when it is called."""
    if not callable(function):
        raise TypeError(f"{name}: a function that takes {rule} expected, got {function!r}")
    # It can be called, and what it returns is an object that nobody wants.
    if inspect.isclass(function):
        raise TypeError(f"{name}: is a class: a function that takes {rule} expected")
    if _is(inspect.isgeneratorfunction, function) or _is(inspect.isasyncgenfunction, function):
        raise TypeError(f"{name}: has a `yield`, so calling it would do nothing: take that out")


def takes(function: Callable[..., object], parameter: str) -> bool:
    """Whether a function has a parameter of this name, after its first one."""
    return any(
        p.name == parameter and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        for p in (_parameters(function) or [])[1:]
    )


def blocks(name: str, function: Callable[..., object], wanted: bool | None) -> bool:
    """Whether a function has to stay off the event loop.

    Args:
        name: what it is called, for the error.
        function: the function.
        wanted: what its author says; `None`: yes for a plain one, no for an `async` one.

    Raises:
        TypeError: it is `async` and its author wants it off the loop.
    """
    is_async = _is(inspect.iscoroutinefunction, function)
    # In a thread only its coroutine would be made: that runs on the loop all the same.
    if is_async and wanted:
        raise TypeError(f"{name}: is async, so it runs on the event loop: leave blocking out")
    return not is_async if wanted is None else wanted


async def call(work: Callable[[], object], threads: DaemonPool | None, owner: Hashable) -> object:
    """Call a function of the program, and await what it returns if that has to be awaited.

    Args:
        work: the function with its arguments.
        threads: where it runs; `None` for here and now.
        owner: whose turn of the threads it takes.
    """
    if threads is None:
        answer = work()
    else:
        job = threads.submit(owner, work)
        try:
            answer = await asyncio.wrap_future(job)
        except asyncio.CancelledError:
            threads.give_up(job)
            raise
    return await answer if inspect.isawaitable(answer) else answer


def was_cancelled(failure: BaseException) -> bool:
    """Whether the task that runs is asked to end.

    Otherwise a `CancelledError` is a failure like any other: the function waited
    for something that was cancelled.
    """
    task = asyncio.current_task()
    cancelled = isinstance(failure, asyncio.CancelledError)
    return cancelled and task is not None and task.cancelling() > 0


def _is(kind: Callable[[object], bool], function: object) -> bool:
    """Whether a function, or an object that can be called, is of a kind."""
    return kind(function) or kind(getattr(function, "__call__", None))  # noqa: B004


def _parameters(function: Callable[..., object]) -> list[inspect.Parameter] | None:
    """What a function takes; `None` if it does not say, as some that are written in C."""
    try:
        return list(inspect.signature(function).parameters.values())
    except ValueError:
        return None
