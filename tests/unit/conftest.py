"""What holds for every unit test."""

from __future__ import annotations

import os

import hypothesis


# Property tests are about values, not about time: a busy machine must not fail them.
hypothesis.settings.register_profile("pipeline", deadline=None)
hypothesis.settings.load_profile("pipeline")

# Read when Great Expectations is first imported: nothing phones home.
os.environ["GX_ANALYTICS_ENABLED"] = "false"
