"""Regular expressions that mean the same to Python and to Athena."""

from __future__ import annotations

import re

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmd_pipeline.portable_patterns import check_pattern, in_trino


@pytest.mark.parametrize(
    "pattern",
    [
        "a",
        "^a$",
        "^(?:sms|email)$",
        "(?:^|_)(?:undefined|null)(?:_|$)",
        "^[!-~]+(_[!-~]+){2}$",
        r"^\[redacted\]$",
        r"[a\-z]{2,}",
        "[^@]+@[^@]+",
        "((a$)|b)$",
        "a{3}b{1,1000}",
        r"\t|\r|\n",
        "東京",
        "a||b",
        "[a^$.|?*+(){}]",
    ],
)
def test_what_both_understand_alike_is_taken(pattern: str) -> None:
    check_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", "it is empty"),
        ("(a", "it is no regular expression: missing \\)"),
        ("a)", "it is no regular expression: unbalanced"),
        ("*a", "'\\*a' at character 1"),
        ("b{2,1}", "it is no regular expression: min repeat"),
        ("\ud800", "it is no regular expression: 'utf-8'"),
        (r"a\d+", r"'\\\\d\+' at character 2 is not understood alike"),
        (r"\w", "character 1 is not understood alike"),
        (r"\bword\b", "character 1 is not understood alike"),
        (r"\Aa\Z", "character 1 is not understood alike"),
        (r"(a)\1", "character 4 is not understood alike"),
        (r"\x41", "character 1 is not understood alike"),
        ("(?=a)b", "character 1 is not understood alike"),
        ("(?<!a)b", "character 1 is not understood alike"),
        ("(?i)a", "character 1 is not understood alike"),
        ("(?P<name>a)", "character 1 is not understood alike"),
        ("(?>a)", "character 1 is not understood alike"),
        ("a*?", "'\\?' at character 3: lazy and possessive"),
        ("a++", "'\\+' at character 3: lazy and possessive"),
        ("a{2}+", "'\\+' at character 5: lazy and possessive"),
        ("a{,2}", "character 2 is not understood alike"),
        ("a{1001}", "asks for more than 1,000 repetitions"),
        ("a{0,1001}", "asks for more than 1,000 repetitions"),
        ("{", "character 1 is not understood alike"),
        ("a]", "character 2 is not understood alike"),
        ("[]a]", "character 1 is not understood alike"),
        ("[[a]]", "character 1 is not understood alike"),
        ("[[:alpha:]]", "character 1 is not understood alike"),
        ("[a-z&&[b]]", "character 1 is not understood alike"),
        ("[a&&b]", "a doubled sign in a class"),
        ("[a--b]", "a doubled sign in a class"),
        ("[a||b]", "a doubled sign in a class"),
        ("[a~~b]", "a doubled sign in a class"),
        ("a$b", "'b' at character 3 follows the end"),
        ("(a|b$)c", "'c' at character 7 follows the end"),
        ("(a$|b)+", "follows the end"),
        ("((a$)|b)[^x]", "follows the end"),
    ],
)
def test_what_one_of_them_takes_otherwise_is_refused_with_its_place(pattern: str, found: str) -> None:
    for refused in check_pattern, in_trino:
        with pytest.raises(ValueError, match=found):
            refused(pattern)


def test_nothing_is_changed_but_the_end() -> None:
    assert in_trino(r"^a\$[$](b|$)$") == r"^a\$[$](b|(?:\n?\z))(?:\n?\z)"


_LITERALS = st.sampled_from(["a", "b", "_", "é", ".", r"\.", r"\n", r"\$", "[ab]", "[^a]", r"[^\n]", "[a-c_]", "[-a]"])


def _patterns(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    repeated = st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,}"])).map(
        lambda parts: f"(?:{parts[0]}){parts[1]}"
    )
    return st.one_of(
        repeated,
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map("|".join).map("({})".format),
    )


_INNER = st.recursive(_LITERALS, _patterns, max_leaves=6)
_PATTERNS = st.tuples(
    st.sampled_from(["", "^", "(?:^|_)"]), _INNER, st.sampled_from(["", "$", "(?:_|$)", "(?:a$|b$)"])
).map("".join)
_TEXTS = st.text(st.sampled_from("abc_é.$\n\r東"), max_size=6)


@settings(max_examples=300, deadline=None)
@given(pattern=_PATTERNS, text=_TEXTS)
def test_re2_finds_what_python_finds(pattern: str, text: str) -> None:
    """RE2 stands in the local Athena for the engine of Trino, which ``make conformance-trino`` asks."""
    found = duckdb.execute("SELECT regexp_matches(?, ?)", [text, in_trino(pattern)]).fetchall()
    assert found == [(re.search(pattern, text) is not None,)]
