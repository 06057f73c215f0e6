"""Lifecycle rules of S3, ours and others', in words: what they choose, what they do, and to whose harm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from tabulate import tabulate

from dmd_pipeline.wording import some


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from mypy_boto3_s3.type_defs import LifecycleRuleOutputTypeDef

    from dmd_pipeline.lifecycle import Plan


@dataclass(frozen=True)
class _Action:
    """Something that a rule does.

    Attributes:
        does: What, and to what.
        when: And when.
        days: Of age, where that is what counts.
        harms: Whether it takes something away from who reads: ``always``, ``early`` (when others count on it for
            longer), or ``never``.
    """

    does: str
    when: str
    days: int | None = None
    harms: Literal["always", "early", "never"] = "never"


def described(rule: LifecycleRuleOutputTypeDef) -> str:
    """What a rule chooses, and what it does with it."""
    done = " and ".join(" ".join(filter(None, (action.does, action.when))) for action in _actions(rule)) or "nothing"
    state = "" if rule["Status"] == "Enabled" else " (disabled)"
    prefix = chosen_prefix(rule)
    return f"{prefix or 'the whole bucket'}{_condition(rule)}: {done}{state}"


def harms(rule: LifecycleRuleOutputTypeDef, root: str, folders: Sequence[str], versions_days: int) -> Iterator[str]:
    """What a rule takes away from folders that are not to lose anything by age; nothing of a rule that is disabled.

    Args:
        rule: Somebody else's.
        root: Key prefix of the project, which is left out of what is told.
        folders: Key prefixes, with a slash at their ends.
        versions_days: How long earlier versions have to stay.
    """
    prefix = chosen_prefix(rule)
    touched = [folder for folder in folders if folder.startswith(prefix) or prefix.startswith(folder)]
    if rule["Status"] != "Enabled" or not touched:
        return
    names = [max(folder, prefix, key=len).removeprefix(root) for folder in touched]
    place = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    condition = _condition(rule) + ("" if prefix else ", as of the whole bucket")
    for action in _actions(rule):
        if action.harms == "always":
            yield f"{action.does} of {place} {action.when}, by their age{condition}"
        elif action.harms == "early" and action.days is not None and action.days < versions_days:
            yield f"{action.does} of {place} {action.when}, sooner than after {versions_days}{condition}"


def as_markdown(plan: Plan) -> str:
    """A plan as a table, with all that a person has to know before approving it."""
    rows = [
        [change.kind, rule["ID"], _or_nothing(change.now), _or_nothing(change.then)]
        for change in plan.changes
        if (rule := change.then or change.now) is not None
    ]
    remarks = [f"WARNING: {warning}." for warning in plan.warnings]
    if plan.foreign:
        listed = some([f"{rule.get('ID', '')} ({described(rule)})" for rule in plan.foreign])
        remarks.append(f"Not ours, and kept as they are: {listed}.")
    return "\n\n".join(
        [
            f"{plan.bucket}: plan {plan.digest}" + ("; nothing to change" if plan.is_empty else ""),
            tabulate([[_cell(text) for text in row] for row in rows], headers=_HEADERS, tablefmt="pipe"),
            *(["\n".join(f"* {remark}" for remark in remarks)] if remarks else []),
        ]
    )


_HEADERS: Final = ("", "rule", "now", "then")


def _or_nothing(rule: LifecycleRuleOutputTypeDef | None) -> str:
    return "" if rule is None else described(rule)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def chosen_prefix(rule: LifecycleRuleOutputTypeDef) -> str:
    """Of the keys that a rule chooses; empty for all. Old rules have it outside of the filter."""
    chosen = rule.get("Filter", {})
    return chosen.get("Prefix") or chosen.get("And", {}).get("Prefix") or rule.get("Prefix") or ""


def _condition(rule: LifecycleRuleOutputTypeDef) -> str:
    """What else objects must be for a rule to choose them."""
    chosen = rule.get("Filter", {})
    both = chosen.get("And", {})
    tags = [*([chosen["Tag"]] if "Tag" in chosen else []), *both.get("Tags", [])]
    told = [f"tagged {tag['Key']}={tag['Value']}" for tag in tags]
    for name, words in (("ObjectSizeGreaterThan", "larger than"), ("ObjectSizeLessThan", "smaller than")):
        size = chosen.get(name, both.get(name))
        if size is not None:
            told.append(f"{words} {size:,} bytes")
    return f" (only those {' and '.join(told)})" if told else ""


def _actions(rule: LifecycleRuleOutputTypeDef) -> Iterator[_Action]:
    expires = rule.get("Expiration", {})
    if "Days" in expires or "Date" in expires:
        yield _Action("expires objects", _when(expires.get("Days"), expires.get("Date")), harms="always")
    if expires.get("ExpiredObjectDeleteMarker"):
        yield _Action("removes delete markers that hide nothing", "")
    for moves in rule.get("Transitions", []):
        when = _when(moves.get("Days"), moves.get("Date"))
        yield _Action("moves objects", f"to {moves.get('StorageClass')} {when}", harms="always")
    if (versions := rule.get("NoncurrentVersionExpiration")) is not None:
        days, kept = versions.get("NoncurrentDays"), versions.get("NewerNoncurrentVersions")
        but = f", but for the newest {kept}" if kept else ""
        yield _Action("deletes earlier versions", f"{_when(days)}{but}", days, harms="early")
    for moved in rule.get("NoncurrentVersionTransitions", []):
        yield _Action("moves earlier versions", f"to {moved.get('StorageClass')} {_when(moved.get('NoncurrentDays'))}")
    if (uploads := rule.get("AbortIncompleteMultipartUpload")) is not None:
        yield _Action("aborts unfinished uploads", _when(uploads.get("DaysAfterInitiation")))


def _when(days: int | None, day: datetime | None = None) -> str:
    if day is not None:
        return f"from {day:%Y-%m-%d} on"
    return f"after {days or 0} day" + ("" if days == 1 else "s")
