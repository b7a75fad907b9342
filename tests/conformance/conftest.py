"""Random tests here run few examples; `RHTMX_EXAMPLES=5000` runs more."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "conformance",
    max_examples=int(os.environ.get("RHTMX_EXAMPLES", "100")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("conformance")
