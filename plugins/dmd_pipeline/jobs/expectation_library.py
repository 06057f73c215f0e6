"""Great Expectations, loaded late and quietly.

Its import costs 4 to 10 seconds of CPU on a small machine, and it does more than to be imported: it would send usage
data, takes over Python's warnings for the whole process, and warns of names that the standard library gave up. Whatever
of it is used here, :func:`load` is called first.
"""

from __future__ import annotations

import logging
import os
import warnings
from functools import cache

from dmd_pipeline.jobs.partition_facts import define_fact_expectation


@cache
def load() -> None:
    """Import Great Expectations, once in a process, and register the expectation that is ours."""
    # Read when it is imported: nothing phones home, whatever the environment says.
    os.environ["GX_ANALYTICS_ENABLED"] = "False"
    # It logs what went wrong together with the data it went wrong on. What matters is raised here, without the data.
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        show_warning = warnings.showwarning
        from great_expectations.validator import metrics_calculator  # noqa: F401 - imported for what that changes

        if warnings.showwarning is not show_warning:
            logging.captureWarnings(capture=False)
    define_fact_expectation()
