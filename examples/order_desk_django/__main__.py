"""Run the order desk: `python -m examples.order_desk_django`."""

import os

import django
import uvicorn
from django.core.management import call_command

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "examples.order_desk_django.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("people")
    uvicorn.run(
        "examples.order_desk_django.asgi:application", port=int(os.environ.get("PORT", 8000))
    )
