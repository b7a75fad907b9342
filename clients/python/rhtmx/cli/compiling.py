"""The command that compiles: `codegen`.

Knows where the compiler of schemas is. Must not know what it does: it is another program, in the
same wheel, and is loaded only where it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["compile_schema"]


def compile_schema(arguments: Sequence[str]) -> int:
    """Run `rhtmx codegen`.

    Args:
        arguments: those behind its name.

    Returns:
        The exit code: 0 done, or nothing differs; 1 something differs; 2 refused.
    """
    from rhtmx_codegen.command import main

    return main(arguments)
