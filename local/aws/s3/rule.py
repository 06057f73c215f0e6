"""Listings, batch deletions and writes as S3 serves them."""

from __future__ import annotations

import base64
import binascii
import threading
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from moto.kms.models import kms_backends
from moto.s3.models import FakeDeleteMarker, s3_backends

from local.aws.s3.listing import LARGEST_PAGE, Page, VersionsPage, list_page, list_versions
from local.aws.wire import AwsError, Response


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from local.aws.pipeline import Moto
    from local.aws.wire import Call

LARGEST_DELETION = 1000
LONGEST_KEY = 1024  # bytes
_LOCKS = 64
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


class S3Rule:
    """Answers listings; refuses batch deletions and keys that are too long; decides conditional writes one by one."""

    def __init__(self, account: str, moto: Moto) -> None:
        self._account = account
        self._moto = moto
        # moto looks first and writes later: of two conditional writes at once both would succeed. One lock for some
        # keys together, so that other writes need not wait.
        self._writes = [threading.Lock() for _ in range(_LOCKS)]
        self._handlers: dict[str, Callable[[Call], Response | None]] = {
            "DeleteObject": self._change,
            "DeleteObjects": _check_deletion,
            "ListObjects": self._list_v1,
            "ListObjectsV2": self._list_v2,
            "ListObjectVersions": self._list_versions,
            "PutObject": self._put,
        }

    def __call__(self, call: Call) -> Response | None:
        """Serve a listing or the change of one object; anything else of S3 is left to moto."""
        handler = self._handlers.get(call.operation) if call.service == "s3" else None
        return None if handler is None else handler(call)

    def _put(self, call: Call) -> Response | None:
        _check_key(call)
        _check_condition(call)
        self._check_encryption(call)
        return self._change(call)

    def _change(self, call: Call) -> Response:
        with self._writes[hash(call.environ["PATH_INFO"]) % _LOCKS]:
            return self._moto.serve(call)

    def _check_encryption(self, call: Call) -> None:
        key = call.environ.get("HTTP_X_AMZ_SERVER_SIDE_ENCRYPTION_AWS_KMS_KEY_ID")
        kms = kms_backends[self._account][call.region]
        if key and kms.get_key_id(key) not in kms.keys and kms.get_key_id_from_alias(kms.get_alias_name(key)) is None:
            raise AwsError("KMS.NotFoundException", f"{key} is not found.", 400)

    def _list_v2(self, call: Call) -> Response | None:
        token = call.query.get("continuation-token")
        after = call.query.get("start-after", "") if token is None else _decode(token)
        page = self._page(call, after)
        if page is None:
            return None
        count = len(page.objects) + len(page.folders)
        elements = [("KeyCount", str(count))]
        if token is not None:
            elements.append(("ContinuationToken", token))
        if page.last is not None:
            elements.append(("NextContinuationToken", _encode(page.last)))
        return _render_page(call, page, elements)

    def _list_v1(self, call: Call) -> Response | None:
        marker = call.query.get("marker", "")
        page = self._page(call, marker)
        if page is None:
            return None
        elements = [("Marker", _shown(call, marker))]
        if page.last is not None and call.query.get("delimiter"):
            elements.append(("NextMarker", _shown(call, page.last)))
        return _render_page(call, page, elements)

    def _list_versions(self, call: Call) -> Response | None:
        bucket, query = self._bucket(call), call.query
        if bucket is None or query.get("delimiter"):
            return None
        after, version = query.get("key-marker", ""), query.get("version-id-marker", "")
        if version and not after:
            raise AwsError("InvalidArgument", "A version-id marker cannot be specified without a key marker.", 400)
        page = list_versions(bucket.keys, query.get("prefix", ""), after, version, _size(query))
        elements = [("KeyMarker", _shown(call, after)), ("VersionIdMarker", version)]
        if page.last is not None:
            elements += [("NextKeyMarker", _shown(call, page.last[0])), ("NextVersionIdMarker", page.last[1])]
        return _render(call, "ListVersionsResult", page.last is not None, elements, _versions(call, page))

    def _bucket(self, call: Call) -> Any:
        """Moto's bucket; None when there is none of that name."""
        return s3_backends[self._account]["aws"].buckets.get(_bucket_of(call))

    def _page(self, call: Call, after: str) -> Page | None:
        bucket, query = self._bucket(call), call.query
        if bucket is None:
            return None
        size = _size(query)
        if size == 0:
            return Page([], [], None)
        return list_page(bucket.keys, query.get("prefix", ""), query.get("delimiter", ""), after, size)


def _bucket_of(call: Call) -> str:
    path: str = call.environ["PATH_INFO"]
    return path.lstrip("/").partition("/")[0]


def _size(query: dict[str, str]) -> int:
    asked = query.get("max-keys", str(LARGEST_PAGE))
    if not asked.isdigit():
        raise AwsError("InvalidArgument", "Provided max-keys not an integer or within integer range", 400)
    return min(int(asked), LARGEST_PAGE)


def _encode(name: str) -> str:
    return base64.urlsafe_b64encode(b"1" + name.encode()).decode()


def _decode(token: str) -> str:
    try:
        decoded = base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, ValueError):
        decoded = ""
    if not decoded.startswith("1"):
        raise AwsError("InvalidArgument", "The continuation token provided is incorrect", 400)
    return decoded[1:]


def _shown(call: Call, name: str) -> str:
    return quote(name) if call.query.get("encoding-type") == "url" else name


def _render_page(call: Call, page: Page, elements: list[tuple[str, str]]) -> Response:
    folders = (
        f"<CommonPrefixes><Prefix>{escape(_shown(call, folder))}</Prefix></CommonPrefixes>" for folder in page.folders
    )
    return _render(call, "ListBucketResult", page.last is not None, elements, chain(_contents(call, page), folders))


def _render(
    call: Call, root: str, is_truncated: bool, elements: list[tuple[str, str]], items: Iterable[str]
) -> Response:
    query = call.query
    common = [
        ("Name", _bucket_of(call)),
        ("Prefix", _shown(call, query.get("prefix", ""))),
        ("MaxKeys", str(_size(query))),
        ("IsTruncated", "true" if is_truncated else "false"),
        *([("Delimiter", _shown(call, query["delimiter"]))] if query.get("delimiter") else []),
        *([("EncodingType", query["encoding-type"])] if "encoding-type" in query else []),
        *elements,
    ]
    body = "".join(
        [
            f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{_NAMESPACE}">',
            *(f"<{name}>{escape(value)}</{name}>" for name, value in common),
            *items,
            f"</{root}>",
        ]
    )
    return Response(200, {"Content-Type": "application/xml"}, body.encode())


def _contents(call: Call, page: Page) -> Iterator[str]:
    owner = "<Owner><ID>0</ID></Owner>" if call.query.get("fetch-owner") == "true" else ""
    for found in page.objects:
        key: Any = escape(_shown(call, found.name))
        yield (
            f"<Contents><Key>{key}</Key><LastModified>{found.last_modified_ISO8601}</LastModified>"
            f"<ETag>{escape(found.etag)}</ETag><Size>{found.size}</Size>{owner}"
            f"<StorageClass>{found.storage_class}</StorageClass></Contents>"
        )


def _versions(call: Call, page: VersionsPage) -> Iterator[str]:
    for found, is_latest in page.versions:
        common = (
            f"<Key>{escape(_shown(call, found.name))}</Key><VersionId>{found.version_id}</VersionId>"
            f"<IsLatest>{'true' if is_latest else 'false'}</IsLatest>"
            f"<LastModified>{found.last_modified_ISO8601}</LastModified>"
        )
        if isinstance(found, FakeDeleteMarker):
            yield f"<DeleteMarker>{common}</DeleteMarker>"
        else:
            content = f"<ETag>{escape(found.etag)}</ETag><Size>{found.size}</Size>"
            yield f"<Version>{common}{content}<StorageClass>{found.storage_class}</StorageClass></Version>"


def _check_deletion(call: Call) -> None:
    if call.body.count(b"<Object>") > LARGEST_DELETION:
        raise AwsError(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
            400,
        )


def _check_key(call: Call) -> None:
    key = call.environ["PATH_INFO"].lstrip("/").partition("/")[2]
    if len(key) > LONGEST_KEY:  # PATH_INFO is latin-1: a character a byte
        raise AwsError("KeyTooLongError", "Your key is too long", 400)


def _check_condition(call: Call) -> None:
    """Refuse conditions that S3 does not know: a write may ask for "no object at all" or for one ETag."""
    if call.environ.get("HTTP_IF_NONE_MATCH", "*") != "*" or call.environ.get("HTTP_IF_MATCH") == "*":
        raise AwsError("NotImplemented", "A header you provided implies functionality that is not implemented", 501)
