"""Function signatures as text, and which of them fits the arguments of a call.

A signature reads ``name(type, type) -> type: DuckDB SQL`` with ``{0}``, ``{1}`` for the arguments. Single capital
letters are type variables, small ones lengths and precisions (``varchar(x)``). ``function(T, U, R)`` is a lambda of two
parameters; written ``lambda {1}`` it takes one value, which is a struct of ``p0``, ``p1`` when it has several
parameters. ``type...`` stands for one or more arguments at the end, and ``{*}`` for all of them, separated by commas.
``!`` in place of SQL: Trino has it, the local Athena does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.athena import types
from local.athena.types import Type, common_type, simple_type


if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Measured(Type):
    """A type whose length or precision is a variable, such as ``varchar(x)``.

    Attributes:
        variable: The variable's name.
    """

    variable: str = ""

    def __str__(self) -> str:
        first, *rest = self.name.split(" ", 1)
        return " ".join([f"{first}({self.variable})", *rest])


@dataclass(frozen=True)
class Signature:
    """One overload of a function.

    Attributes:
        name: The function's name.
        parameters: Types of its parameters.
        variadic: Whether the last parameter stands for one or more arguments.
        result: Type of its result.
        template: DuckDB SQL.
    """

    name: str
    parameters: tuple[Type, ...]
    variadic: bool
    result: Type
    template: str

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.parameters))}{'...' if self.variadic else ''})"

    def spread(self, count: int) -> tuple[Type, ...] | None:
        """The parameters for so many arguments, or None."""
        if not self.variadic:
            return self.parameters if len(self.parameters) == count else None
        missing = count - len(self.parameters)
        return None if missing < 0 else self.parameters + (self.parameters[-1],) * missing


@dataclass(frozen=True)
class Match:
    """A signature that fits, with the types it then has."""

    signature: Signature
    parameters: tuple[Type, ...]
    bound: dict[str, Type]


_LINE = re.compile(r"([a-z_0-9]+)\((.*)\) -> (.+?): (.+)")
_VARIABLE = re.compile(r"[A-Z]")
_MEASURE = re.compile(r"[a-z]")


def parse_signatures(text: str) -> dict[str, tuple[Signature, ...]]:
    """Signatures by name, from a text with one a line; ``#`` begins a comment."""
    found: dict[str, tuple[Signature, ...]] = {}
    for line in text.strip().splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        matched = _LINE.fullmatch(line.strip())
        if matched is None:
            raise ValueError(f"Not a signature: {line}")
        name, parameters, result, template = matched.groups()
        variadic = parameters.endswith("...")
        kinds = _split(parameters.removesuffix("..."))
        signature = Signature(name, tuple(map(parse_type, kinds)), variadic, parse_type(result), template)
        found[name] = (*found.get(name, ()), signature)
    return found


def _split(text: str) -> list[str]:
    """The parts between commas that are not inside parentheses."""
    parts, depth, current = [], 0, ""
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += character
    return [part.strip() for part in [*parts, current] if part.strip()]


def parse_type(text: str) -> Type:
    """A type in Trino's spelling, with type variables."""
    text = text.strip()
    if _VARIABLE.fullmatch(text):
        return Type(text)
    name, _, arguments = text.partition("(")
    if not arguments:
        return simple_type(name, (), name)
    inner, _, rest = arguments.rpartition(")")
    parts = _split(inner)
    full = (name + rest).strip()
    if _MEASURE.fullmatch(inner):
        return Measured(full, simple_type(full, (), text).numbers, variable=inner)
    if all(part.isdigit() for part in parts):
        return simple_type(full, tuple(map(int, parts)), text)
    return Type(full, elements=tuple(map(parse_type, parts)), names=(None,) * len(parts) if full == "row" else ())


def is_variable(kind: Type) -> bool:
    """Whether a type is a type variable."""
    return _VARIABLE.fullmatch(kind.name) is not None


def match(signature: Signature, arguments: Sequence[Type]) -> Match | None:
    """The types of a signature for arguments, or None when it does not fit. Lambdas have the type ``function``."""
    parameters = signature.spread(len(arguments))
    if parameters is None:
        return None
    bound: dict[str, Type] = {}
    for parameter, argument in zip(parameters, arguments, strict=True):
        if not _bind(parameter, argument, bound):
            return None
    for parameter in parameters:
        if parameter.name != "function":
            bound = dict.fromkeys(_variables(parameter), types.UNKNOWN) | bound  # NULL tells nothing of its elements
    return Match(signature, tuple(substituted(parameter, bound) for parameter in parameters), bound)


def _variables(kind: Type) -> set[str]:
    """The names of the type variables in a type."""
    if is_variable(kind):
        return {kind.name}
    return set().union(*map(_variables, kind.elements))


def _bind(parameter: Type, argument: Type, bound: dict[str, Type]) -> bool:
    if argument.name == "function" or parameter.name == "function":
        return argument.name == parameter.name and _bind_lambda(parameter, argument, bound)
    if is_variable(parameter):
        common = common_type(bound.get(parameter.name, types.UNKNOWN), argument)
        if common is None:
            return False
        bound[parameter.name] = common
        return True
    if isinstance(parameter, Measured):
        return _fits(argument, parameter) and _bind_measure(parameter, argument, bound)
    if parameter.elements:
        if argument == types.UNKNOWN:
            return True
        if argument.name != parameter.name or len(argument.elements) != len(parameter.elements):
            return False
        return all(_bind(*pair, bound) for pair in zip(parameter.elements, argument.elements, strict=True))
    return _fits(argument, parameter)


def _bind_lambda(parameter: Type, argument: Type, bound: dict[str, Type]) -> bool:
    """The types of a lambda's own parameters follow from the other arguments; its result can be bound."""
    return len(parameter.elements) == len(argument.elements) and _bind(
        parameter.elements[-1], argument.elements[-1], bound
    )


def _bind_measure(parameter: Measured, argument: Type, bound: dict[str, Type]) -> bool:
    measure = argument.numbers[0] if argument.name == parameter.name else 0
    known = bound.get(parameter.variable)
    bound[parameter.variable] = Type(parameter.name, (max(measure, known.numbers[0] if known else 0),))
    return True


def _fits(argument: Type, parameter: Type) -> bool:
    if parameter.name == argument.name:
        return parameter.name != "decimal" or common_type(argument, parameter) == parameter
    common = common_type(argument, parameter)
    return common is not None and common.name == parameter.name


def substituted(kind: Type, bound: dict[str, Type]) -> Type:
    """A type with its variables replaced; an unbound one stays."""
    if is_variable(kind):
        return bound.get(kind.name, kind)
    if isinstance(kind, Measured):
        measured = bound.get(kind.variable)
        return Type(kind.name, kind.numbers if measured is None else measured.numbers)
    if not kind.elements:
        return kind
    return Type(kind.name, kind.numbers, tuple(substituted(element, bound) for element in kind.elements), kind.names)


def cost(matched: Match, arguments: Sequence[Type]) -> int:
    """How far the arguments must be converted: overloads that need less are better."""
    total = 0
    for parameter, argument in zip(matched.parameters, arguments, strict=True):
        if parameter.name != argument.name:
            total += _DISTANCE.get(parameter.name, 5)
    return total


_DISTANCE = {"bigint": 1, "integer": 1, "decimal": 2, "real": 3, "double": 4}
