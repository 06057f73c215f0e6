"""A bucket's lifecycle configuration, kept word for word: moto forgets sizes, versions to keep, and more.

Nothing ever expires here; what is written is held against S3's own rules, and given back.
"""

from __future__ import annotations

import secrets
from collections import Counter
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary
from xml.etree import ElementTree

from moto.s3.models import s3_backends

from local.aws.wire import AwsError, Response


if TYPE_CHECKING:
    from local.aws.wire import Call

_MOST_RULES = 1000
_LONGEST_ID = 255
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_MINIMUM_SIZE = "x-amz-transition-default-minimum-object-size"
_ACTIONS = {
    "AbortIncompleteMultipartUpload",
    "Expiration",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransition",
    "Transition",
}


class LifecycleRule:
    """Answers everything about lifecycle configurations (a rule of the pipeline)."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._documents: WeakKeyDictionary[Any, tuple[bytes, str]] = WeakKeyDictionary()  # by moto's bucket

    def __call__(self, call: Call) -> Response | None:
        """Serve what is about a lifecycle configuration; anything else is left to the next rule."""
        if call.service != "s3" or "BucketLifecycle" not in call.operation:
            return None
        name: str = call.environ["PATH_INFO"].lstrip("/").partition("/")[0]
        bucket = s3_backends[self._account]["aws"].buckets.get(name)
        if bucket is None:
            return None
        if call.operation.startswith("Put"):
            size = call.environ.get(f"HTTP_{_MINIMUM_SIZE.upper().replace('-', '_')}", "all_storage_classes_128K")
            self._documents[bucket] = (_checked(call.body), size)
            return Response(200, {_MINIMUM_SIZE: size}, b"")
        if call.operation.startswith("Delete"):
            self._documents.pop(bucket, None)
            return Response(204, {}, b"")
        if bucket not in self._documents:
            raise AwsError("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", 404)
        document, size = self._documents[bucket]
        return Response(200, {"Content-Type": "application/xml", _MINIMUM_SIZE: size}, document)


def _checked(body: bytes) -> bytes:
    """The configuration as S3 keeps it: every rule has an id."""
    ElementTree.register_namespace("", _NAMESPACE)
    root = ElementTree.fromstring(body)  # noqa: S314 - what our own tests send
    rules = root.findall(_tag("Rule"))
    if not rules:
        raise _malformed()
    if len(rules) > _MOST_RULES:
        raise AwsError(
            "InvalidRequest", f"The number of lifecycle rules must not exceed the allowed limit of {_MOST_RULES} rules."
        )
    ids: Counter[str] = Counter()
    for rule in rules:
        name = rule.find(_tag("ID"))
        if name is None:
            name = ElementTree.SubElement(rule, _tag("ID"))
        name.text = name.text or secrets.token_hex(16)
        ids[name.text] += 1
        _check(rule)
    if max(ids.values()) > 1:
        raise AwsError("InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule")
    if max(map(len, ids)) > _LONGEST_ID:
        raise AwsError("InvalidArgument", f"ID length should not exceed allowed limit of {_LONGEST_ID}")
    return ElementTree.tostring(root, "unicode").encode()


def _check(rule: ElementTree.Element) -> None:
    chosen = rule.find(_tag("Filter"))
    both = None if chosen is None else chosen.find(_tag("And"))
    if (chosen is None) is (rule.find(_tag("Prefix")) is None):
        raise _malformed()
    if (chosen is not None and len(chosen) > 1) or (both is not None and len(both) < 2):
        raise _malformed()
    if not _ACTIONS & {child.tag.rpartition("}")[2] for child in rule}:
        raise AwsError("InvalidRequest", "At least one action needs to be specified in a rule")
    expiration = rule.find(_tag("Expiration"))
    if expiration is not None and len(expiration) != 1:  # days, a date, or expired delete markers
        raise _malformed()
    if any(days.text is None or int(days.text) < 1 for days in rule.iterfind(f"{_tag('Expiration')}/{_tag('Days')}")):
        raise AwsError("InvalidArgument", "'Days' for Expiration action must be a positive integer")
    if chosen is not None and chosen.find(f".//{_tag('Tag')}") is not None:
        for action in ("ExpiredObjectDeleteMarker", "AbortIncompleteMultipartUpload"):
            if rule.find(f".//{_tag(action)}") is not None:
                raise AwsError("InvalidRequest", f"{action} cannot be specified with Tags.")


def _tag(name: str) -> str:
    return f"{{{_NAMESPACE}}}{name}"


def _malformed() -> AwsError:
    message = "The XML you provided was not well-formed or did not validate against our published schema"
    return AwsError("MalformedXML", message, 400)
