"""What the site shows of a docstring, where that is less or other than what stands there.

Knows the sections of docstrings. Must not know who reads them.
"""

from __future__ import annotations

import re

__all__ = ["shown"]

_EXAMPLE = re.compile(r"^( *)Example:$", re.MULTILINE)
_ARGUMENTS = re.compile(r"^( *)Args:\n(?:\1 +.*\n|\n)*", re.MULTILINE)


def shown(text: str, *, made: bool = False) -> str:
    r"""The docstring as the site shows it.

    Args:
        text: the docstring, without the indentation of its code.
        made: it is a class whose instances something else makes: what it is made of is
            no concern of a reader.

    Example:
        >>> shown("A thing.\n\nArgs:\n    part: of it.\n", made=True)
        'A thing.\n\n'
    """
    if made:
        text = _ARGUMENTS.sub("", text)
    # Griffe 2.4 shows doctests as code in a section of this name only.
    return _EXAMPLE.sub(r"\1Examples:", text)
