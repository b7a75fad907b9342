"""What all tests share."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Cores are shared: how long an example takes says nothing about the code.
settings.register_profile(
    "shared", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=25
)
settings.register_profile("long", parent=settings.get_profile("shared"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "shared"))
