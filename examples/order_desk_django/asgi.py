"""What an ASGI server runs: the live side at /live, and the site."""

import os

from django.core.asgi import get_asgi_application
from starlette.applications import Starlette
from starlette.routing import Mount

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "examples.order_desk_django.settings")
site = get_asgi_application()  # before anything that has models

from examples.order_desk_django.live import app  # noqa: E402

live = app.asgi()
application = Starlette(routes=[Mount("/live", live), Mount("/", site)], lifespan=live.lifespan)
