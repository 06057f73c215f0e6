"""What AWS says when it refuses, in the terms of this project."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from botocore.response import URLLib3ProtocolError, URLLib3ReadTimeoutError  # type: ignore[attr-defined]  # untyped names

from dmd_pipeline.errors import ThrottledError


if TYPE_CHECKING:
    from collections.abc import Iterator

    from dmd_pipeline.errors import PipelineError


THROTTLES: Final = frozenset(
    {
        "KMSThrottlingException",
        "KmsThrottled",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
_PASSING: Final = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServiceException",
        "OperationTimeoutException",
        "ResourceNotReadyException",
        "ServiceUnavailable",
    }
)


@dataclass(frozen=True)
class ItemError:
    """Why one item of a batch call failed.

    Attributes:
        code: AWS's name of the error.
        message: What AWS says about it.
    """

    code: str
    message: str

    @property
    def may_pass(self) -> bool:
        """Whether the same item may succeed later."""
        return self.code in THROTTLES or self.code in _PASSING

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.code


def error_code(error: ClientError) -> str:
    """AWS's name of an error."""
    return error.response.get("Error", {}).get("Code", "")


@contextmanager
def translated(what: str, into: type[PipelineError]) -> Iterator[None]:
    """Turn boto3's errors into ours.

    Args:
        what: What was tried, for the message: ``"list s3://bucket/prefix"``.
        into: Class of the error when AWS refused for any other reason than throttling.

    Raises:
        ThrottledError: AWS still asked to slow down when boto3 had given up.
    """
    try:
        yield
    except ClientError as error:
        code = error_code(error)
        message = error.response.get("Error", {}).get("Message", "")
        if code in THROTTLES:
            raise ThrottledError(f"cannot {what}: AWS asked to slow down until the retries ran out ({code})") from error
        raise into(f"cannot {what}: {code}: {message}") from error
    except (BotoCoreError, URLLib3ProtocolError, URLLib3ReadTimeoutError) as error:
        # Those of urllib3 come when a refusal is cut off, of a call that gives a body to read: boto3 lets them through.
        raise into(f"cannot {what}: {error}") from error
