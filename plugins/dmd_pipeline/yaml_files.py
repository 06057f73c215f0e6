"""YAML files that people write, read into a pydantic model: each mistake is told by file, key and what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError


if TYPE_CHECKING:
    from pathlib import Path

    from pydantic_core import ErrorDetails

    from dmd_pipeline.errors import ConfigurationError


Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """Plain values only, and no key twice: YAML's own loader silently takes the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _value in node.value:
            name = str(key.value)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {name!r} stands twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


def load_yaml(path: Path, model: type[Model], error_type: type[ConfigurationError]) -> Model:
    """Read and validate a file.

    Args:
        path: The file.
        model: What it holds; forbids unknown keys.
        error_type: What to raise.

    Raises:
        ConfigurationError: Of the given type: the file cannot be read, is not YAML, or holds a wrong, unknown or
            missing key; a line for each.
    """
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - it is a SafeLoader
    except OSError as error:
        raise error_type(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise error_type(f"{path}: expected UTF-8, found other bytes at {error.start}") from error
    except yaml.YAMLError as error:
        raise error_type(f"{path}: not valid YAML: {error}") from error
    return validated(str(path), values, model, error_type)


def validated(place: str, values: Any, model: type[Model], error_type: type[ConfigurationError]) -> Model:
    """Validate what was read, from YAML or elsewhere.

    Args:
        place: The file, or a place in it, for the error.
        values: What it holds.
        model: What it should hold; forbids unknown keys.
        error_type: What to raise.

    Raises:
        ConfigurationError: Of the given type: a key is wrong, unknown or missing; a line for each.
    """
    if not isinstance(values, dict):
        raise error_type(f"{place}: expected a mapping of keys to values, found {type(values).__name__}")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise error_type("\n".join(_describe(place, model, item) for item in error.errors())) from error


def _describe(place: str, model: type[BaseModel], item: ErrorDetails) -> str:
    """One wrong key: place, key, what was expected, what was found."""
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        expected = f"unknown key; expected one of: {', '.join(_keys_beside(model, item['loc']))}"
    elif item["type"] == "missing":
        expected = "missing; expected it in every file of this kind"
    else:
        expected = f"{item['msg'][0].lower()}{item['msg'][1:]}, found {item['input']!r}"
    return f"{place}: {key}: {expected}"


def _keys_beside(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that may stand where an unknown one stood."""
    for part in location[:-1]:
        if part not in model.model_fields:
            continue  # a place in a list, or a key of a mapping
        annotation = model.model_fields[str(part)].annotation
        candidates = [annotation, *get_args(annotation)]
        model = next(found for found in candidates if isinstance(found, type) and issubclass(found, BaseModel))
    return list(model.model_fields)
