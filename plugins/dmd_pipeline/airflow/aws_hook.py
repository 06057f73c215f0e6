"""The hook that every client comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from dmd_pipeline.aws.timestamps import read_timestamps_quickly


if TYPE_CHECKING:
    import boto3


class AwsHook(AwsBaseHook):
    """The hook of an Airflow connection to AWS, whose clients read listings quickly."""

    def get_session(self, region_name: str | None = None, deferrable: bool = False) -> boto3.Session:
        """A session of the connection."""
        session = super().get_session(region_name, deferrable)
        read_timestamps_quickly(session)
        return session
