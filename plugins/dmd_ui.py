"""The Airflow plugin: one entry in the navigation, and the pages behind it.

Airflow runs this file in every component, so it builds nothing; what it names is ``dmd_pipeline.ui``.
"""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from dmd_pipeline.ui.mounted import Pages


class DataQualityPages(AirflowPlugin):
    """The data quality pages."""

    name = "dmd_ui"
    fastapi_apps = [{"app": Pages(), "url_prefix": "/dq", "name": "Data quality"}]  # noqa: RUF012  # as the base class has it
    # Addresses without a slash in front: Airflow's page says where they begin, also behind a prefix.
    external_views = [  # noqa: RUF012  # as the base class has it
        {
            "name": "Data quality",
            "href": "dq/",
            "destination": "nav",
            "url_route": "data-quality",
            "nav_top_level": True,
            "icon": "dq/static/icon-light.svg",
            "icon_dark_mode": "dq/static/icon-dark.svg",
        }
    ]
