"""The bucket: what lies below a prefix, and what is in an object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from dmd_pipeline.aws.faults import error_code, translated
from dmd_pipeline.aws.unknown_elements import unknown_elements
from dmd_pipeline.errors import StorageError
from dmd_pipeline.lifecycle import Configuration
from dmd_pipeline.patience import Patience


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        DeleteMarkerEntryTypeDef,
        ListObjectsV2OutputTypeDef,
        ListObjectVersionsOutputTypeDef,
        ListObjectVersionsRequestTypeDef,
        ObjectIdentifierTypeDef,
        ObjectTypeDef,
        ObjectVersionTypeDef,
        PutBucketLifecycleConfigurationRequestTypeDef,
        PutObjectRequestTypeDef,
    )


JSON: Final = "application/json"
"""Content type."""

_BEYOND_THE_END: Final = "InvalidRange"
_MISSING: Final = "NoSuchKey"
_NO_LIFECYCLE: Final = "NoSuchLifecycleConfiguration"
_GET_LIFECYCLE: Final = "GetBucketLifecycleConfiguration"
_DOCUMENT: Final = "Document"
_CONDITION_FAILED: Final = "PreconditionFailed"
_UNDECIDED: Final = "ConditionalRequestConflict"
"""Another write or deletion of the same key was under way: S3 asks for the request again, and boto3 does not."""
_NO_ID: Final = "null"
_KEYS_AT_ONCE: Final = 1000
"""Of one DeleteObjects."""
_PATIENCE: Final = Patience(attempts=5, first_pause=0.2)


@dataclass(frozen=True)
class StoredObject:
    """An object as a listing shows it.

    Attributes:
        key: Its key.
        size: In bytes.
        modified: When it was last written, to the second.
        etag: Of its content, in quotation marks.
    """

    key: str
    size: int
    modified: datetime
    etag: str


@dataclass(frozen=True)
class StoredVersion(StoredObject):
    """A version of an object.

    Attributes:
        version: Its id; ``null`` in a bucket without versions.
    """

    version: str


@dataclass(frozen=True)
class DeletedObject:
    """An object that was deleted in a bucket with versions, and can be brought back.

    Attributes:
        version: The newest version that is left of it.
        markers: Ids of the delete markers above that.
    """

    version: StoredVersion
    markers: tuple[str, ...]


class Bucket:
    """One bucket.

    Attributes:
        name: Its name.
    """

    def __init__(self, client: S3Client, name: str, patience: Patience = _PATIENCE) -> None:
        self._client = client
        self.name = name
        self._patience = patience

    def names_below(self, prefix: str, *, start_at: str = "", stop_after: str | None = None) -> Iterator[str]:
        """Names directly below a prefix, sorted within a page; those of folders end in a slash.

        One LIST call returns 1,000 of them, however many objects the folders hold.

        Args:
            prefix: Ends in a slash.
            start_at: Skip names that sort before this one; they cost nothing.
            stop_after: Stop at the first page that goes beyond this name.

        Raises:
            StorageError: S3 refused.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        token: str | None = None
        while True:
            page = self._list(prefix, start_at, token)
            names = _names(page, prefix)
            for name in names:
                if name >= start_at and (stop_after is None or name <= stop_after):
                    yield name
            token = page.get("NextContinuationToken")
            if token is None or (stop_after is not None and names and max(names) > stop_after):
                return

    def objects_below(self, prefix: str, start_after: str = "") -> Iterator[StoredObject]:
        """All objects whose key begins with a prefix, at any depth, by key.

        One LIST call a 1,000 objects, and at least one; made page by page as the objects are taken.

        Args:
            prefix: Begin of the keys.
            start_after: Skip this key and all that sort before it; they cost nothing.

        Raises:
            StorageError: S3 refused.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=prefix, StartAfter=start_after
        )
        with translated(f"list s3://{self.name}/{prefix}", StorageError):
            for page in pages:
                for item in page.get("Contents", []):
                    yield _stored_object(item)

    def versions_below(
        self, prefix: str, *, start_after: str = "", stop_before: str | None = None
    ) -> Iterator[StoredVersion]:
        """The current versions of all objects whose key begins with a prefix, at any depth, by key.

        One ListObjectVersions call a 1,000 versions, earlier ones and delete markers included, and at least one.

        Args:
            prefix: Begin of the keys.
            start_after: Skip this key and all that sort before it; they cost nothing.
            stop_before: Stop at this key; what comes after it costs nothing but for the page that has it.

        Raises:
            StorageError: S3 refused.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        for page in self._version_pages(prefix, start_after, stop_before):
            for item in page.get("Versions", []):
                if item["IsLatest"] and (stop_before is None or item["Key"] < stop_before):
                    yield _stored_version(item)

    def deleted_below(
        self, prefix: str, *, start_after: str = "", stop_before: str | None = None
    ) -> dict[str, DeletedObject]:
        """The objects whose key begins with a prefix that were deleted and left a version, by key.

        Not those with a delete marker that has no id of its own, as deletions leave it while versioning is suspended:
        whoever takes that away may take away what was written over it meanwhile.

        It costs what :meth:`versions_below` costs.

        Args:
            prefix: Begin of the keys.
            start_after: Skip this key and all that sort before it; they cost nothing.
            stop_before: Stop at this key.

        Raises:
            StorageError: S3 refused.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        newest: dict[str, ObjectVersionTypeDef] = {}
        markers: dict[str, list[DeleteMarkerEntryTypeDef]] = {}
        for page in self._version_pages(prefix, start_after, stop_before):
            for version in page.get("Versions", []):
                newest.setdefault(version["Key"], version)  # the newest version of a key comes first
            for marker in page.get("DeleteMarkers", []):
                markers.setdefault(marker["Key"], []).append(marker)
        return {
            key: DeletedObject(
                _stored_version(version),
                # Times are to the second. Taking away one below the version as well changes nothing.
                tuple(one["VersionId"] for one in markers[key] if one["LastModified"] >= version["LastModified"]),
            )
            for key, version in newest.items()
            if not version["IsLatest"]
            and _have_ids(markers.get(key, ()))
            and (stop_before is None or key < stop_before)
        }

    def keeps_versions(self) -> bool:
        """Whether an object that is deleted leaves its versions, or did so at some time: one GetBucketVersioning.

        Raises:
            StorageError: S3 refused.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        with translated(f"look at the versioning of s3://{self.name}", StorageError):
            return "Status" in self._client.get_bucket_versioning(Bucket=self.name)

    def page_below(self, prefix: str, start_after: str) -> tuple[tuple[StoredObject, ...], bool]:
        """Up to 1,000 objects whose key begins with a prefix, by key: one LIST call.

        Args:
            prefix: Begin of the keys.
            start_after: Skip this key and all that sort before it; they cost nothing.

        Returns:
            The objects, and whether there are no more.

        Raises:
            StorageError: S3 refused.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        with translated(f"list s3://{self.name}/{prefix}", StorageError):
            page = self._client.list_objects_v2(Bucket=self.name, Prefix=prefix, StartAfter=start_after)
        return tuple(map(_stored_object, page.get("Contents", []))), not page["IsTruncated"]

    def read(self, key: str) -> bytes:
        """An object's content: one GET.

        Raises:
            StorageError: There is no such object, or S3 refused.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        with translated(f"read s3://{self.name}/{key}", StorageError):
            return self._client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """A part of an object's content: one GET.

        Args:
            key: Of the object.
            start: Offset of the first byte.
            length: How many bytes, at least one.

        Returns:
            Fewer bytes than asked for at the end of the object, none beyond it.

        Raises:
            StorageError: There is no such object, or S3 refused.
            ThrottledError: S3 asked to slow down until the retries ran out.
            ValueError: Start or length make no range: S3 would answer with the whole object.
        """
        if start < 0 or length < 1:
            raise ValueError(f"expected a range of at least one byte, found {length} bytes from {start}")
        with translated(f"read s3://{self.name}/{key}", StorageError):
            try:
                answer = self._client.get_object(Bucket=self.name, Key=key, Range=f"bytes={start}-{start + length - 1}")
            except ClientError as error:
                if error_code(error) == _BEYOND_THE_END:
                    return b""
                raise
            return answer["Body"].read()

    def find(self, key: str) -> tuple[bytes, str] | None:
        """An object's content and its ETag, with which it can be replaced: one GET.

        Returns:
            None when there is no such object.

        Raises:
            StorageError: S3 refused.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        with translated(f"read s3://{self.name}/{key}", StorageError):
            try:
                answer = self._client.get_object(Bucket=self.name, Key=key)
            except ClientError as error:
                if error_code(error) == _MISSING:
                    return None
                raise
            return answer["Body"].read(), answer["ETag"]

    def write(self, key: str, body: bytes, content_type: str, *, kms_key: str | None = None) -> str:
        """Write an object, over one that is there already: one PUT.

        Args:
            key: Of the object.
            body: Its content.
            content_type: What S3 is told about it.
            kms_key: ARN of the key, or of an alias of it, that encrypts it; the bucket's own encryption when None.

        Returns:
            Its ETag.

        Raises:
            StorageError: S3 refused.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        with translated(f"write s3://{self.name}/{key}", StorageError):
            return self._client.put_object(**self._put(key, body, content_type, kms_key))["ETag"]

    def create(
        self,
        key: str,
        body: bytes,
        content_type: str,
        *,
        kms_key: str | None = None,
        tag: tuple[str, str] | None = None,
    ) -> bool:
        """Write an object that is not there yet: one PUT, and one more for each conflict with another write.

        Args:
            key: Of the object.
            body: Its content.
            content_type: What S3 is told about it.
            kms_key: ARN of the key, or of an alias of it, that encrypts it; the bucket's own encryption when None.
            tag: Key and value of its only tag, without characters that an address escapes.

        Returns:
            False when an object is there. It may be this very one, written by an attempt whose answer was lost.

        Raises:
            StorageError: S3 refused.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        request = self._put(key, body, content_type, kms_key)
        if tag is not None:
            request["Tagging"] = "=".join(tag)
        return self._put_if(key, {**request, "IfNoneMatch": "*"}) is not None

    def tag(self, key: str, tag: tuple[str, str]) -> None:
        """Give an object a tag, instead of all that it had: one PutObjectTagging.

        Raises:
            StorageError: There is no such object, or S3 refused.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        name, value = tag
        with translated(f"tag s3://{self.name}/{key}", StorageError):
            self._client.put_object_tagging(
                Bucket=self.name, Key=key, Tagging={"TagSet": [{"Key": name, "Value": value}]}
            )

    def replace(self, key: str, body: bytes, content_type: str, etag: str) -> str | None:
        """Replace an object that nobody has changed: one PUT, and one more for each conflict with another write.

        Args:
            key: Of the object.
            body: Its new content.
            content_type: What S3 is told about it.
            etag: Of the object, as :meth:`find` gave it.

        Returns:
            The new ETag; None when it has another one by now, or is gone. It may have been replaced by this very call,
            by an attempt whose answer was lost.

        Raises:
            StorageError: S3 refused.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        return self._put_if(key, {**self._put(key, body, content_type, None), "IfMatch": etag})

    def delete(self, key: str) -> None:
        """Delete an object; one that is not there is no error: one DELETE.

        Raises:
            StorageError: S3 refused.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        with translated(f"delete s3://{self.name}/{key}", StorageError):
            self._client.delete_object(Bucket=self.name, Key=key)

    def delete_together(self, keys: Sequence[str]) -> dict[str, str]:
        """Delete up to 1,000 objects with one DeleteObjects; one that is not there is no error.

        In a bucket with versions they get delete markers, and can be brought back.

        Args:
            keys: Of the objects.

        Returns:
            Reason by key, for those that were not deleted.

        Raises:
            StorageError: S3 refused the whole call.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        return self._delete([{"Key": key} for key in keys])

    def take_markers_away(self, deleted: Collection[DeletedObject]) -> dict[str, str]:
        """Bring deleted objects back: their newest versions are current again, under the ids that they had.

        No version is named here but those of delete markers: nothing can be lost by it. 1 DeleteObjects for up to 1,000
        markers.

        Args:
            deleted: As :meth:`deleted_below` gives them.

        Returns:
            Reason by key, for those that were not brought back.

        Raises:
            StorageError: S3 refused a whole call; objects may be back that an earlier one named.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        named: list[ObjectIdentifierTypeDef] = [
            {"Key": one.version.key, "VersionId": marker} for one in deleted for marker in one.markers
        ]
        errors: dict[str, str] = {}
        for start in range(0, len(named), _KEYS_AT_ONCE):
            errors |= self._delete(named[start : start + _KEYS_AT_ONCE])
        return errors

    def _delete(self, named: Sequence[ObjectIdentifierTypeDef]) -> dict[str, str]:
        with translated(f"delete {len(named)} objects of s3://{self.name}", StorageError):
            answer = self._client.delete_objects(Bucket=self.name, Delete={"Objects": [*named], "Quiet": True})
        return {
            error.get("Key", ""): f"{error.get('Code', 'unknown error')}: {error.get('Message', '')}"
            for error in answer.get("Errors", [])
        }

    def _version_pages(
        self, prefix: str, start_after: str, stop_before: str | None
    ) -> Iterator[ListObjectVersionsOutputTypeDef]:
        """Pages of versions and delete markers, up to the one that goes beyond a key."""
        request: ListObjectVersionsRequestTypeDef = {"Bucket": self.name, "Prefix": prefix, "KeyMarker": start_after}
        with translated(f"list the versions of s3://{self.name}/{prefix}", StorageError):
            while True:
                page = self._client.list_object_versions(**request)
                yield page
                if not page["IsTruncated"] or (stop_before is not None and page["NextKeyMarker"] >= stop_before):
                    return
                request["KeyMarker"] = page["NextKeyMarker"]
                request["VersionIdMarker"] = page["NextVersionIdMarker"]

    def lifecycle(self) -> Configuration:
        """The bucket's lifecycle configuration, all of it: one GetBucketLifecycleConfiguration.

        S3 may show an earlier one for some minutes after it was replaced.

        Raises:
            StorageError: S3 refused; or the configuration says something that this version of boto3 does not know, so
                that it would be lost when the configuration is replaced.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        what = f"read the lifecycle configuration of s3://{self.name}"
        self._client.meta.events.register(f"before-parse.s3.{_GET_LIFECYCLE}", _keep_document, unique_id=_DOCUMENT)
        with translated(what, StorageError):
            try:
                answer: Any = self._client.get_bucket_lifecycle_configuration(Bucket=self.name)
            except ClientError as error:
                if error_code(error) == _NO_LIFECYCLE:
                    return Configuration()
                raise
        shape = self._client.meta.service_model.operation_model(_GET_LIFECYCLE).output_shape
        if unknown := unknown_elements(answer[_DOCUMENT], shape):
            raise StorageError(f"cannot {what}: boto3 does not know {', '.join(sorted(set(unknown)))}: update it")
        return Configuration(tuple(answer["Rules"]), answer.get("TransitionDefaultMinimumObjectSize"))

    def replace_lifecycle(self, configuration: Configuration) -> None:
        """Replace the bucket's lifecycle configuration as a whole: one PutBucketLifecycleConfiguration.

        S3 knows no condition for it: what somebody else has written since it was read is lost.

        Raises:
            StorageError: S3 refused.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        request: PutBucketLifecycleConfigurationRequestTypeDef = {
            "Bucket": self.name,
            "LifecycleConfiguration": {"Rules": configuration.rules},
        }
        if configuration.minimum_size is not None:
            request["TransitionDefaultMinimumObjectSize"] = configuration.minimum_size
        with translated(f"replace the lifecycle configuration of s3://{self.name}", StorageError):
            self._client.put_bucket_lifecycle_configuration(**request)

    def _put(self, key: str, body: bytes, content_type: str, kms_key: str | None) -> PutObjectRequestTypeDef:
        request: PutObjectRequestTypeDef = {
            "Bucket": self.name,
            "Key": key,
            "Body": body,
            "ContentType": content_type,
        }
        if kms_key is not None:
            request["ServerSideEncryption"] = "aws:kms"
            request["SSEKMSKeyId"] = kms_key
        return request

    def _put_if(self, key: str, request: PutObjectRequestTypeDef) -> str | None:
        """ETag of what was written; None when the condition does not hold."""
        with translated(f"write s3://{self.name}/{key}", StorageError):
            for attempt in self._patience:
                try:
                    return self._client.put_object(**request)["ETag"]
                except ClientError as error:
                    code = error_code(error)
                    if code in (_CONDITION_FAILED, _MISSING):
                        return None
                    if code != _UNDECIDED or attempt == self._patience.attempts:
                        raise
        raise StorageError(f"cannot write s3://{self.name}/{key}: not even one attempt was allowed")

    def _list(self, prefix: str, start_at: str, token: str | None) -> ListObjectsV2OutputTypeDef:
        with translated(f"list s3://{self.name}/{prefix}", StorageError):
            if token is not None:
                return self._client.list_objects_v2(
                    Bucket=self.name, Prefix=prefix, Delimiter="/", ContinuationToken=token
                )
            if start_at:
                # StartAfter leaves out its own key, but a folder's keys are longer than its name without the slash.
                return self._client.list_objects_v2(
                    Bucket=self.name, Prefix=prefix, Delimiter="/", StartAfter=prefix + start_at.rstrip("/")
                )
            return self._client.list_objects_v2(Bucket=self.name, Prefix=prefix, Delimiter="/")


def _have_ids(markers: Collection[DeleteMarkerEntryTypeDef]) -> bool:
    return bool(markers) and all(one["VersionId"] != _NO_ID for one in markers)


def _stored_version(item: ObjectVersionTypeDef) -> StoredVersion:
    return StoredVersion(item["Key"], item["Size"], item["LastModified"], item["ETag"], item["VersionId"])


def _stored_object(item: ObjectTypeDef) -> StoredObject:
    return StoredObject(item["Key"], item["Size"], item["LastModified"], item["ETag"])


def _keep_document(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Have boto3 hand over what it has parsed."""
    customized_response_dict[_DOCUMENT] = response_dict["body"]


def _names(page: ListObjectsV2OutputTypeDef, prefix: str) -> list[str]:
    folders = [folder["Prefix"] for folder in page.get("CommonPrefixes", [])]
    # The console makes "folders" by writing an empty object under the prefix's own name.
    objects = [item["Key"] for item in page.get("Contents", []) if item["Key"] != prefix]
    return sorted(key.removeprefix(prefix) for key in folders + objects)
