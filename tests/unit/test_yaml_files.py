"""Reading a YAML file into a model: each mistake is told by file, key and what was expected."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel, ConfigDict

from dmd_pipeline.errors import SchemaError, SettingsError
from dmd_pipeline.yaml_files import load_yaml


if TYPE_CHECKING:
    from pathlib import Path


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Inner(_Strict):
    one: int
    other: int = 2


class Outer(_Strict):
    name: str
    inner: Inner | None = None
    items: list[Inner] = []


def _file(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "file.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_valid_file_gives_the_model(tmp_path: Path) -> None:
    path = _file(tmp_path, "name: a\nitems: [{one: 1}, {one: 3, other: 4}]\n")
    assert load_yaml(path, Outer, SchemaError) == Outer(name="a", items=[Inner(one=1), Inner(one=3, other=4)])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name: [", "not valid YAML"),
        ("- name", "expected a mapping of keys to values, found list"),
        ("", "expected a mapping of keys to values, found NoneType"),
        (b"name: \xff", "expected UTF-8, found other bytes at 6"),
        ("name: a\nname: b", "not valid YAML: the key 'name' stands twice\n  in \"<unicode string>\", line 2"),
        ("name: a\ninner: {one: 1, one: 2}", "not valid YAML: the key 'one' stands twice"),
        ("inner: {one: 1}", "name: missing"),
        ("name: 5", "name: input should be a valid string, found 5"),
        ("name: a\nnames: b", "names: unknown key; expected one of: name, inner, items"),
        ("name: a\ninner: {one: 1, two: 2}", "inner.two: unknown key; expected one of: one, other"),
        ("name: a\nitems: [{one: 1}, {one: 1, two: 2}]", "items.1.two: unknown key; expected one of: one, other"),
    ],
)
def test_a_mistake_is_told_by_file_key_and_expectation(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = _file(tmp_path, content)
    with pytest.raises(SettingsError, match=re.escape(f"{path}: {message}")):
        load_yaml(path, Outer, SettingsError)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"none\.yaml: cannot be read \(No such file or directory\)"):
        load_yaml(tmp_path / "none.yaml", Outer, SchemaError)


def test_yaml_cannot_make_python_objects(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not valid YAML"):
        load_yaml(_file(tmp_path, "name: !!python/object/apply:os.getcwd []"), Outer, SettingsError)
