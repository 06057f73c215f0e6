"""The strict AWS on one machine: moto's server, and the refusals, limits and pages of the real one."""

from local.aws.local_aws import DEFAULT_PORT, LocalAws


__all__ = ["DEFAULT_PORT", "LocalAws"]
