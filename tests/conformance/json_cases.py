"""How tables of the OpenX JSON SerDe are read, as data: a line of a file, and what a column of it is.

https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html
"""

from __future__ import annotations

from typing import NamedTuple


class Read(NamedTuple):
    """``value`` in the JSON of a row is read by a column of a Hive type; None for NULL."""

    value: str
    type: str
    expected: str | None


class Unfit(NamedTuple):
    """``value`` does not fit a column of a Hive type: an error in which ``secret`` does not stand."""

    value: str
    type: str
    secret: str


READ = [
    Read("null", "string", None),
    Read('"text"', "string", "text"),
    Read('"\\u00e9\\n\\"x\\""', "string", 'é\n"x"'),
    Read("true", "string", "true"),
    Read("12", "string", "12"),
    Read("true", "boolean", "true"),
    Read("false", "boolean", "false"),
    Read('"TRUE"', "boolean", "true"),
    Read("127", "tinyint", "127"),
    Read("-32768", "smallint", "-32768"),
    Read("2147483647", "int", "2147483647"),
    Read('"12"', "int", "12"),
    Read("9007199254740993", "bigint", "9007199254740993"),
    Read("-9223372036854775808", "bigint", "-9223372036854775808"),
    Read("0.1", "double", "0.1"),
    Read("3", "double", "3.0"),
    Read("1e-7", "double", "1.0E-7"),
    Read('"2.5"', "double", "2.5"),
    Read("null", "array<int>", None),
    Read("[]", "array<int>", "[]"),
    Read("[1, null, 3]", "array<int>", "[1, null, 3]"),
    Read("7", "array<int>", "[7]"),
    Read('""', "array<string>", None),
    Read('{"a": 1, "b": null}', "map<string,bigint>", "{a=1, b=null}"),
    Read('{"a": 1}', "struct<a:int,b:string>", "{a=1, b=null}"),
    Read('{"A": 1, "unknown": [1]}', "struct<a:int>", "{a=1}"),
    Read('[{"id": "x", "s": [{"v": 1}]}]', "array<struct<id:string,s:array<struct<v:int>>>>", "[{id=x, s=[{v=1}]}]"),
]

UNFIT = [
    Unfit('"word"', "int", "word"),
    Unfit("1.5", "int", "1.5"),
    Unfit("2147483649", "int", "2147483649"),
    Unfit("32769", "smallint", "32769"),
    Unfit("9223372036854775809", "bigint", "9223372036854775809"),
    Unfit('"word"', "double", "word"),
    Unfit("77", "boolean", "77"),
    Unfit("[77]", "int", "77"),
    Unfit('{"word": 1}', "double", "word"),
    Unfit('["word"]', "array<bigint>", "word"),
    Unfit('{"a": "word"}', "struct<a:int>", "word"),
    Unfit('"word"', "struct<a:int>", "word"),
    Unfit('"word"', "map<string,int>", "word"),
]

# Lines that are no JSON object.
MALFORMED = ["{", '{"n": 1', "word", '{"n": }', '"text"', "1", '{"n": 1 "s": 2}']
