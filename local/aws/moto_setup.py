"""The few places where moto itself is told to behave otherwise, all in one module."""

from __future__ import annotations

from typing import Any

from moto.core.config import default_user_config
from moto.kms import models as moto_kms
from moto.kms.utils import generate_private_key

from local.aws.glue.store import install_glue_models
from local.aws.s3 import install_index


def adapt_moto() -> None:
    """Make moto fit to serve as the local AWS; may be called again."""
    default_user_config["lambda"]["use_docker"] = False  # the function runs as local.delivery_worker
    moto_kms.generate_private_key = _private_key
    install_index()
    install_glue_models()


def _private_key(key_spec: str) -> Any:
    """A key's private key; none for a symmetric key, for which moto spends a tenth of a second on an unused one."""
    return None if key_spec == "SYMMETRIC_DEFAULT" else generate_private_key(key_spec)
