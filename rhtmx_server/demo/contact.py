"""The form `contact`: ready-made rules, and one that looks at two fields.

Knows its rules. Must not know the page: the form is for those who try the
protocol by hand.
"""

from __future__ import annotations

from collections.abc import Mapping

from rhtmx_server import App, Invalid

__all__ = ["declare_contact"]


def declare_contact(app: App) -> None:
    """Declare the form."""
    contact = app.form("contact")
    contact.field("email", required=True, email=True)
    contact.field("message", required=True, min_length=10, max_length=2000)
    contact.field("answer", one_of=["email", "phone"])
    contact.field("phone", pattern=r"\+?[0-9 ()/.-]{5,25}", message="is not a phone number")

    @contact.field("phone")
    async def phone_is_there_to_call(value: str, form: Mapping[str, str]) -> None:
        if form["answer"] == "phone" and not value.strip():
            raise Invalid("is needed if we are to call you")
