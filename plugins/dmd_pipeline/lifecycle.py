"""The plan of ``apply_lifecycle_rules``: which of our own leftovers S3 is to delete by their age, and what it does now.

A bucket has one lifecycle configuration, a list of up to 1,000 rules, and it is replaced as a whole. The rules whose id
begins with :data:`OURS` are ours: they are generated from the settings, and nobody else's. All others are foreign. They
are sent back as they were, in their order, whatever they say; one that harms the pipeline is told loudly.

What our rules may do is closed:

==================  =================================================================================================
current objects     expire only in the folders of :data:`_LEFTOVERS`. Neither the files of tables nor ``errors/`` nor
                    what is known of expired partitions is among them, and no rule has another folder's prefix.
noncurrent versions are deleted in all folders of the project, for these are what writes and deletions have left.
unfinished uploads  likewise: they are no objects yet.
==================  =================================================================================================

Two shapes follow from S3 itself: expired delete markers go with no days in the same ``Expiration``, and neither they
nor unfinished uploads can be chosen by a tag. So each has a rule for the whole project.

Everything here is pure.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dmd_pipeline.layout import SETTLED_DONE_TAG, SETTLED_RAW_TAG, Layout
from dmd_pipeline.lifecycle_words import chosen_prefix, harms


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mypy_boto3_s3.literals import TransitionDefaultMinimumObjectSizeType
    from mypy_boto3_s3.type_defs import LifecycleRuleFilterOutputTypeDef, LifecycleRuleOutputTypeDef

    from dmd_pipeline.settings import Lifecycle, Settings


OURS: Final = "dmd-"
"""Begin of the ids of our rules."""
_DIGEST_LENGTH: Final = 16
_DONE_OUTLIVES_RAW_DAYS: Final = 7
"""S3 deletes when it comes to it, often days after an object has expired."""


@dataclass(frozen=True)
class _Leftover:
    """Objects of ours that expire by their age.

    Attributes:
        name: Of the rule.
        folder: Where they lie.
        days: How long they stay.
        tag: Key and value of the tag that they must carry, if any.
    """

    name: str
    folder: Callable[[Layout], str]
    days: Callable[[Lifecycle], int]
    tag: tuple[str, str] | None = None


_LEFTOVERS: Final = (
    _Leftover("replay-raw", Layout.raw_prefix, lambda stay: stay.replay_raw_days, SETTLED_RAW_TAG),
    _Leftover(
        "replay-done",
        Layout.raw_prefix,
        lambda stay: stay.replay_raw_days + _DONE_OUTLIVES_RAW_DAYS,
        SETTLED_DONE_TAG,
    ),
    _Leftover("quarantine", Layout.quarantine_prefix, lambda stay: stay.quarantine_days),
    _Leftover("catalog-backups", Layout.all_backups_prefix, lambda stay: stay.backups_days),
    _Leftover("quality-results", Layout.quality_results_prefix, lambda stay: stay.quality_days),
    _Leftover("quality-docs", Layout.quality_docs_prefix, lambda stay: stay.quality_days),
    _Leftover("athena-results", Layout.athena_results_prefix, lambda stay: stay.athena_results_days),
)
"""All current objects that ever expire by a rule of ours."""


@dataclass(frozen=True)
class Configuration:
    """What a bucket's lifecycle configuration says.

    Attributes:
        rules: As S3 gives and takes them; empty when there is no configuration.
        minimum_size: How S3 decides which objects are too small to be moved; None when it says nothing about it.
    """

    rules: tuple[LifecycleRuleOutputTypeDef, ...] = ()
    minimum_size: TransitionDefaultMinimumObjectSizeType | None = None

    def says(self, other: Configuration) -> bool:
        """Whether it says the same as one that was written: S3 promises no order, and may add what was left open."""
        same_rules = Counter(map(_text, self.rules)) == Counter(map(_text, other.rules))
        return same_rules and other.minimum_size in (None, self.minimum_size)


@dataclass(frozen=True)
class Change:
    """What becomes of one rule of ours.

    Attributes:
        now: The bucket's; None when it is added.
        then: The settings'; None when it is removed.
    """

    now: LifecycleRuleOutputTypeDef | None
    then: LifecycleRuleOutputTypeDef | None

    @property
    def kind(self) -> str:
        """In a word."""
        if self.now == self.then:
            return "same"
        return "added" if self.now is None else "removed" if self.then is None else "changed"


@dataclass(frozen=True)
class Plan:
    """What to do about a bucket's lifecycle configuration.

    Attributes:
        bucket: Its name.
        current: The configuration as it is.
        wanted: As it is to be: the foreign rules, then ours.
        changes: One entry a rule of ours, also of those that stay the same.
        foreign: The rules that are not ours.
        warnings: What foreign rules do to the pipeline.
    """

    bucket: str
    current: Configuration
    wanted: Configuration
    changes: tuple[Change, ...]
    foreign: tuple[LifecycleRuleOutputTypeDef, ...]
    warnings: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return all(change.kind == "same" for change in self.changes)

    @property
    def counts(self) -> dict[str, int]:
        """How many rules there are of each kind."""
        kinds = Counter(change.kind for change in self.changes)
        return {kind: kinds[kind] for kind in ("added", "changed", "removed", "same")} | {"foreign": len(self.foreign)}

    @property
    def digest(self) -> str:
        """Stands for the whole configuration as it is, and as it would be: an approval is one of this alone.

        The order of the rules means nothing to S3, and so to nobody who approves.
        """
        said = [
            self.bucket,
            [sorted(map(_text, one.rules)) for one in (self.current, self.wanted)],
            self.current.minimum_size,
        ]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:_DIGEST_LENGTH]


def plan(settings: Settings, current: Configuration) -> Plan:
    """Compare a bucket's configuration with what the settings ask for.

    Args:
        settings: Of the environment.
        current: The configuration of its bucket.
    """
    wanted = our_rules(settings)
    ids, root = {rule["ID"] for rule in wanted}, settings.layout.everything_prefix()
    held = {rule["ID"]: rule for rule in current.rules if rule.get("ID") in ids or _was_ours(rule, root)}
    foreign = tuple(rule for rule in current.rules if rule.get("ID") not in held)
    changes = [Change(held.pop(rule["ID"], None), rule) for rule in wanted]
    return Plan(
        bucket=settings.bucket,
        current=current,
        wanted=Configuration((*foreign, *wanted), current.minimum_size),
        changes=(*changes, *(Change(rule, None) for rule in held.values())),
        foreign=foreign,
        warnings=tuple(_warnings(settings, foreign)),
    )


def our_rules(settings: Settings) -> tuple[LifecycleRuleOutputTypeDef, ...]:
    """The rules that the settings ask for, as S3 takes them."""
    layout, stay = settings.layout, settings.lifecycle
    everything: LifecycleRuleFilterOutputTypeDef = {"Prefix": layout.everything_prefix()}
    expiring: list[LifecycleRuleOutputTypeDef] = [
        {
            "ID": f"{OURS}{one.name}",
            "Filter": _filter(one.folder(layout), one.tag),
            "Status": "Enabled",
            "Expiration": {"Days": one.days(stay)},
        }
        for one in _LEFTOVERS
    ]
    return (
        *expiring,
        {
            "ID": f"{OURS}noncurrent-versions",
            "Filter": everything,
            "Status": "Enabled",
            "Expiration": {"ExpiredObjectDeleteMarker": True},
            "NoncurrentVersionExpiration": {"NoncurrentDays": stay.noncurrent_days},
        },
        {
            "ID": f"{OURS}unfinished-uploads",
            "Filter": everything,
            "Status": "Enabled",
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": stay.unfinished_uploads_days},
        },
    )


def _filter(folder: str, tag: tuple[str, str] | None) -> LifecycleRuleFilterOutputTypeDef:
    if tag is None:
        return {"Prefix": folder}
    key, value = tag
    return {"And": {"Prefix": folder, "Tags": [{"Key": key, "Value": value}]}}


def _warnings(settings: Settings, foreign: Iterable[LifecycleRuleOutputTypeDef]) -> list[str]:
    layout = settings.layout
    folders = [
        layout.tables_prefix(),
        layout.errors_prefix(),
        layout.retention_prefix(),
        layout.raw_prefix(),
        layout.all_quality_summaries_prefix(),
    ]
    return [
        f"rule {rule.get('ID', '')} is not ours and {harm}"
        for rule in foreign
        for harm in harms(rule, layout.everything_prefix(), folders, settings.lifecycle.noncurrent_days)
    ]


def _was_ours(rule: LifecycleRuleOutputTypeDef, root: str) -> bool:
    """Whether we have made a rule once; one about other folders is somebody else's, whatever its id."""
    return rule.get("ID", "").startswith(OURS) and chosen_prefix(rule).startswith(root)


def _text(rule: LifecycleRuleOutputTypeDef) -> str:
    return json.dumps(rule, sort_keys=True, default=str)
