"""What of a form is judged by itself.

Knows names and numbers. Must not know rules.
"""

from __future__ import annotations

from typing import TypeAlias

__all__ = ["Section"]

Section: TypeAlias = str | int
"""A field, by its name; or a check of the form as a whole, by its number."""
