from __future__ import annotations

import pytest

from local.errors import UsageError
from local.run import parse_conf


def test_conf_is_a_json_object_and_may_be_left_out() -> None:
    assert parse_conf('{"dry_run": true}') == {"dry_run": True}
    assert parse_conf(" ") == {}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("{'dry_run': true}", "CONF is not JSON"), ("[]", "must be a JSON object"), ("5", "must be a JSON object")],
)
def test_anything_else_is_refused_in_a_sentence(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        parse_conf(text)
