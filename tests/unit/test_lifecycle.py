"""The lifecycle rules that the settings ask for, and what becomes of those that the bucket has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.lifecycle import OURS, Configuration, our_rules, plan
from dmd_pipeline.lifecycle_words import as_markdown, described
from dmd_pipeline.settings import Lifecycle, load_settings


SETTINGS = load_settings("local")
LAYOUT = SETTINGS.layout
OUR_RULES = our_rules(SETTINGS)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOME_UUID = UUID(int=1)
EVERYTHING_KEPT = "avro/, errors/, retention/, replay/raw/ and quality/summaries/"
SMALL_PRINT = " (only those tagged team=x and larger than 5,000 bytes)"

_DAYS = st.integers(90, 3650)
_SETTINGS = st.builds(
    lambda **days: SETTINGS.model_copy(update={"lifecycle": Lifecycle(approval_hours=1, **days)}),
    **{name: _DAYS for name in Lifecycle.model_fields if name.endswith("_days") and name != "unfinished_uploads_days"},
    unfinished_uploads_days=st.integers(1, 365),
)
_PREFIXES = st.sampled_from(["", "data-pipeline/", "data-pipeline/avro/", "data-pipeline/avro/sale/", "logs/", "data"])
_ACTIONS = st.sampled_from(
    [
        {"Expiration": {"Days": 3}},
        {"Expiration": {"Date": datetime(2027, 1, 1, tzinfo=UTC)}},
        {"Transitions": [{"Days": 30, "StorageClass": "GLACIER"}]},
        {"NoncurrentVersionExpiration": {"NoncurrentDays": 3, "NewerNoncurrentVersions": 2}},
        {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3}},
    ]
)


def _rules(ids: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    chosen: st.SearchStrategy[dict[str, Any]] = st.one_of(
        st.fixed_dictionaries({"Filter": st.fixed_dictionaries({"Prefix": _PREFIXES})}),
        st.fixed_dictionaries({"Prefix": _PREFIXES}),
        st.just({"Filter": {}}),
        st.just({"Filter": {"Tag": {"Key": "k", "Value": "v"}}}),
    )
    status = st.sampled_from(["Enabled", "Disabled"])
    return st.builds(
        lambda name, where, state, does: {"ID": name, "Status": state} | where | does, ids, chosen, status, _ACTIONS
    )


_FOREIGN = _rules(st.text(max_size=8).filter(lambda name: not name.startswith(OURS)))
_OURS_OF_ONCE = _rules(st.sampled_from([*(rule["ID"] for rule in OUR_RULES), f"{OURS}of-an-earlier-release"]))
_CONFIGURATIONS = st.builds(
    Configuration,
    st.lists(st.one_of(_FOREIGN, _OURS_OF_ONCE, st.sampled_from(OUR_RULES)), unique_by=lambda rule: rule["ID"]).map(
        tuple
    ),
    st.sampled_from([None, "varies_by_storage_class", "all_storage_classes_128K"]),
)


def foreign(name: str = "theirs", prefix: str = "logs/", **changes: Any) -> Any:
    return {"ID": name, "Status": "Enabled", "Filter": {"Prefix": prefix}, "Expiration": {"Days": 90}, **changes}


def is_ours(rule: Any) -> bool:
    """One that we make, or made once: of somebody else's, neither the id nor the folder is ours."""
    name, prefix = str(rule["ID"]), prefix_of(rule)
    return name in {one["ID"] for one in OUR_RULES} or (
        name.startswith(OURS) and prefix.startswith(LAYOUT.everything_prefix())
    )


class TestOurRules:
    @given(_SETTINGS)
    def test_no_current_object_of_tables_errors_or_retention_ever_expires_nor_the_whole_project(
        self, settings: Any
    ) -> None:
        kept = [
            LAYOUT.delivered_key("sale", NOW.date(), NOW, SOME_UUID),
            LAYOUT.errors_key(NOW, SOME_UUID),
            LAYOUT.manifest_key("sale", NOW.date()),
            LAYOUT.retention_lease_key("sale"),
            LAYOUT.quality_summary_key("sale", 2026),
            f"{LAYOUT.test_prefix()}a",
            f"{LAYOUT.everything_prefix()}anything",
        ]
        expiring = [rule for rule in our_rules(settings) if rule.get("Expiration", {}).get("Days") is not None]
        prefixes = [str(prefix_of(rule)) for rule in expiring]
        assert len(prefixes) == 7
        assert [(key, prefix) for key in kept for prefix in prefixes if key.startswith(prefix)] == []
        moving = {"Transitions", "NoncurrentVersionTransitions", "Prefix"}
        assert all(not moving & rule.keys() for rule in our_rules(settings))

    def test_they_say_what_the_settings_say(self) -> None:
        days = Lifecycle(
            approval_hours=1,
            replay_raw_days=31,
            quarantine_days=32,
            backups_days=33,
            quality_days=94,
            athena_results_days=5,
            noncurrent_days=36,
            unfinished_uploads_days=7,
        )
        rules = our_rules(SETTINGS.model_copy(update={"lifecycle": days}))
        raw, root = "data-pipeline/replay/raw/", "data-pipeline/"
        assert {rule["ID"]: described(rule) for rule in rules} == {
            "dmd-replay-raw": f"{raw} (only those tagged dmd-settled=raw): expires objects after 31 days",
            "dmd-replay-done": f"{raw} (only those tagged dmd-settled=done): expires objects after 38 days",
            "dmd-quarantine": f"{root}quarantine/: expires objects after 32 days",
            "dmd-catalog-backups": f"{root}catalog-backups/: expires objects after 33 days",
            "dmd-quality-results": f"{root}quality/results/: expires objects after 94 days",
            "dmd-quality-docs": f"{root}quality/docs/: expires objects after 94 days",
            "dmd-athena-results": f"{root}athena/results/: expires objects after 5 days",
            "dmd-noncurrent-versions": (
                f"{root}: removes delete markers that hide nothing and deletes earlier versions after 36 days"
            ),
            "dmd-unfinished-uploads": f"{root}: aborts unfinished uploads after 7 days",
        }

    def test_raw_files_expire_only_when_they_are_settled_and_before_their_done_documents(self) -> None:
        raw, done = OUR_RULES[:2]
        assert raw["Filter"]["And"]["Prefix"] == done["Filter"]["And"]["Prefix"] == LAYOUT.raw_prefix()
        assert raw["Filter"]["And"]["Tags"] != done["Filter"]["And"]["Tags"]
        assert raw["Expiration"]["Days"] < done["Expiration"]["Days"]


class TestPlan:
    def test_a_rule_about_other_folders_is_not_ours_whatever_its_id(self) -> None:
        theirs = foreign(f"{OURS}other-team", "another-team/")
        made = plan(SETTINGS, Configuration((theirs, *OUR_RULES), None))
        assert made.is_empty
        assert made.foreign == (theirs,)

    @given(_SETTINGS, _CONFIGURATIONS)
    def test_foreign_rules_stay_as_they_are_in_their_order_and_ours_are_exactly_the_settings(
        self, settings: Any, current: Configuration
    ) -> None:
        made = plan(settings, current)
        written = made.wanted
        assert [rule for rule in written.rules if not is_ours(rule)] == [r for r in current.rules if not is_ours(r)]
        assert [rule for rule in written.rules if is_ours(rule)] == list(our_rules(settings))
        assert written.minimum_size == current.minimum_size
        assert made.is_empty is written.says(current)

        again = plan(settings, written)
        assert again.is_empty
        assert again.counts == {
            "added": 0,
            "changed": 0,
            "removed": 0,
            "same": len(OUR_RULES),
            "foreign": len(made.foreign),
        }
        counts = made.counts
        assert counts["added"] + counts["changed"] + counts["same"] == len(OUR_RULES)
        assert counts["changed"] + counts["removed"] + counts["same"] + counts["foreign"] == len(current.rules)

    @given(_SETTINGS, _SETTINGS, _CONFIGURATIONS, _CONFIGURATIONS)
    def test_an_approval_is_one_of_the_whole_configuration_as_it_is_and_as_it_is_to_be(
        self, settings: Any, others: Any, current: Configuration, other: Configuration
    ) -> None:
        digest = plan(settings, current).digest
        assert digest == plan(settings, Configuration(current.rules[::-1], current.minimum_size)).digest
        same = current.says(other) and current.minimum_size == other.minimum_size
        assert (digest == plan(settings, other).digest) is same
        assert (digest == plan(others, current).digest) is (
            settings.lifecycle == others.lifecycle or our_rules(settings) == our_rules(others)
        )

    @pytest.mark.parametrize(
        "changed",
        [
            (foreign(), foreign("another")),
            (),
            (foreign(Expiration={"Days": 91}),),
            (foreign(Status="Disabled"),),
            (foreign(prefix="log/"),),
            (foreign(), *OUR_RULES[:1]),
        ],
    )
    def test_any_difference_in_the_bucket_voids_the_approval(self, changed: Any) -> None:
        digest = plan(SETTINGS, Configuration((foreign(),))).digest
        assert plan(SETTINGS, Configuration(changed)).digest != digest
        assert plan(SETTINGS, Configuration((foreign(),), "varies_by_storage_class")).digest != digest
        elsewhere = SETTINGS.model_copy(update={"bucket": "another"})
        assert plan(elsewhere, Configuration((foreign(),))).digest != digest

    def test_a_person_reads_what_changes_what_stays_and_what_to_be_afraid_of(self) -> None:
        raw, done, *others = OUR_RULES
        now: Any = {**raw, "Expiration": {"Days": 1}}
        gone: Any = foreign("dmd-old", "data-pipeline/a|b/")
        made = plan(SETTINGS, Configuration((foreign(prefix=""), now, gone, *others)))
        text = as_markdown(made)
        assert text.startswith(f"{SETTINGS.bucket}: plan {made.digest}\n\n")
        cells = [
            [cell.strip() for cell in line.replace(r"\|", "¦").strip("|").split("|")]
            for line in text.splitlines()
            if line[:1] == "|"
        ]
        assert [row[:2] for row in cells[2:]] == [
            ["changed", "dmd-replay-raw"],
            ["added", "dmd-replay-done"],
            *(["same", rule["ID"]] for rule in others),
            ["removed", "dmd-old"],
        ]
        assert cells[2][2:] == [described(now), described(raw)]
        assert cells[3][2:] == ["", described(done)]
        assert cells[-1][2:] == [described(gone).replace("|", "¦"), ""]
        assert "* WARNING: rule theirs is not ours and expires objects of avro/, errors/" in text
        assert "* Not ours, and kept as they are: theirs (the whole bucket: expires objects after 90 days)." in text
        assert as_markdown(plan(SETTINGS, made.wanted)).startswith(f"{SETTINGS.bucket}: plan ")
        assert "; nothing to change\n" in as_markdown(plan(SETTINGS, made.wanted))


class TestWarnings:
    @pytest.mark.parametrize(
        ("rule", "told"),
        [
            (foreign(prefix="data-pipeline/avro/"), "expires objects of avro/ after 90 days, by their age"),
            (foreign(prefix="data-pipeline/avro/sale/p"), "expires objects of avro/sale/p after 90 days, by their age"),
            (foreign(prefix="data-pipeline/err"), "expires objects of errors/ after 90 days, by their age"),
            (foreign(prefix="data-pipeline/retention/"), "expires objects of retention/ after 90 days, by their age"),
            (foreign(prefix="data-pipeline/replay/"), "expires objects of replay/raw/ after 90 days, by their age"),
            (
                foreign(prefix="data-pipeline/"),
                f"expires objects of {EVERYTHING_KEPT} after 90 days, by their age",
            ),
            (
                foreign(prefix=""),
                f"expires objects of {EVERYTHING_KEPT} after 90 days, by their age, as of the whole bucket",
            ),
            (
                {"ID": "theirs", "Status": "Enabled", "Prefix": "data-pipeline/avro/", "Expiration": {"Days": 1}},
                "expires objects of avro/ after 1 day, by their age",
            ),
            (
                foreign(prefix="data-pipeline/avro/", Expiration={"Date": datetime(2027, 3, 1, tzinfo=UTC)}),
                "expires objects of avro/ from 2027-03-01 on, by their age",
            ),
            (
                foreign(
                    Filter={
                        "And": {
                            "Prefix": "data-pipeline/errors/",
                            "Tags": [{"Key": "team", "Value": "x"}],
                            "ObjectSizeGreaterThan": 5000,
                        }
                    }
                ),
                f"expires objects of errors/ after 90 days, by their age{SMALL_PRINT}",
            ),
            (
                foreign(
                    prefix="data-pipeline/avro/",
                    Expiration={"ExpiredObjectDeleteMarker": True},
                    Transitions=[{"Days": 30, "StorageClass": "GLACIER"}],
                ),
                "moves objects of avro/ to GLACIER after 30 days, by their age",
            ),
            (
                foreign(
                    prefix="data-pipeline/avro/",
                    Expiration={"ExpiredObjectDeleteMarker": True},
                    NoncurrentVersionExpiration={"NoncurrentDays": 89, "NewerNoncurrentVersions": 3},
                ),
                "deletes earlier versions of avro/ after 89 days, but for the newest 3, sooner than after 90",
            ),
        ],
    )
    def test_what_a_foreign_rule_takes_away_is_told(self, rule: Any, told: str) -> None:
        assert plan(SETTINGS, Configuration((rule,))).warnings == (f"rule theirs is not ours and {told}",)

    @pytest.mark.parametrize(
        "rule",
        [
            foreign(),
            foreign(prefix="data-pipeline/avro/", Status="Disabled"),
            foreign(prefix="data-pipeline/quarantine/"),
            foreign(prefix="data-pipeline/avros/"),
            foreign(prefix="", Expiration={"ExpiredObjectDeleteMarker": True}),
            foreign(prefix="", Expiration={}, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}),
            foreign(prefix="", Expiration={}, NoncurrentVersionExpiration={"NoncurrentDays": 90}),
        ],
    )
    def test_a_rule_that_harms_nobody_is_only_listed(self, rule: Any) -> None:
        made = plan(SETTINGS, Configuration((rule,)))
        assert made.warnings == ()
        assert f"Not ours, and kept as they are: theirs ({described(rule)})" in as_markdown(made)

    def test_none_is_about_our_own_rules(self) -> None:
        assert plan(SETTINGS, Configuration(OUR_RULES)).warnings == ()


def prefix_of(rule: Any) -> str:
    chosen = rule.get("Filter", {})
    return str(chosen.get("And", chosen).get("Prefix") or rule.get("Prefix") or "")
