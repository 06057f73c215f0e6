"""The states are told apart with any colour vision, in light and in dark: computed from the style sheet itself."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import dmd_pipeline.ui


if TYPE_CHECKING:
    from collections.abc import Mapping

STATIC = Path(dmd_pipeline.ui.__file__).parent / "static"
PICTURES = Path(__file__).parents[3] / "docs" / "pictures"
STATES = ("passed", "warned", "failed", "unknown", "stale", "unchecked", "unregistered", "empty")
VERDICTS = ("passed", "warned", "failed", "unknown")

# Machado, Oliveira and Fernandes (2009), severity 1.0: what linear RGB becomes in the eye.
VISIONS = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
NOTICEABLE = 15
"""CIE76 distance of two fields; about 2 is the least that can be seen at all side by side.

The other states are no colours but outlines and patterns."""


def rules(theme: str) -> Mapping[str, str]:
    """The colours that a theme gives, with those of light where dark says nothing."""
    text = (STATIC / "pages.css").read_text(encoding="utf-8")
    blocks = re.findall(r"(:root(?:\.dark)?) \{(.*?)\n\}", text, re.DOTALL)
    found: dict[str, str] = {}
    for selector, block in blocks:
        if selector == ":root" or theme == "dark":
            found.update(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", block))
    return found


def linear(colour: str) -> list[float]:
    digits = colour.removeprefix("#")
    whole = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
    shares = [int(whole[index : index + 2], 16) / 255 for index in (0, 2, 4)]
    return [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]


def seen(colour: str, vision: str) -> list[float]:
    values = linear(colour)
    mixed = (sum(weight * value for weight, value in zip(row, values, strict=True)) for row in VISIONS[vision])
    return [min(max(value, 0.0), 1.0) for value in mixed]


def lab(rgb: list[float]) -> tuple[float, float, float]:
    matrix = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.9505, 1.0, 1.089)
    xyz = [sum(w * v for w, v in zip(row, rgb, strict=True)) / n for row, n in zip(matrix, white, strict=True)]
    f = [value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116 for value in xyz]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def contrast(one: str, other: str) -> float:
    lights = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (linear(one), linear(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("vision", VISIONS)
def test_fields_of_verdicts_differ_for_every_eye(theme: str, vision: str) -> None:
    colours = rules(theme)
    for one, other in itertools.combinations((*VERDICTS, "stale"), 2):
        pair = lab(seen(colours[one], vision)), lab(seen(colours[other], vision))
        distance = sum((a - b) ** 2 for a, b in zip(*pair, strict=True)) ** 0.5
        assert distance >= NOTICEABLE, f"{one} and {other}: {distance:.1f}"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_failed_day_stands_out_in_lightness_alone(theme: str) -> None:
    colours = rules(theme)
    assert contrast(colours["failed"], colours["passed"]) >= 3


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", [state for state in STATES if state != "empty"])
def test_a_symbol_can_be_read_on_its_field(theme: str, state: str) -> None:
    colours = rules(theme)
    fields = [colours[state], colours.get(f"{state}-stripe", colours[state])]
    assert min(contrast(field, colours[f"on-{state}"]) for field in fields) >= 4.5


def test_every_state_has_a_symbol_of_its_own() -> None:
    drawings = {state: (STATIC / "symbols" / f"{state}.svg").read_text(encoding="utf-8") for state in STATES}
    assert len(set(drawings.values())) == len(STATES)


@pytest.mark.parametrize("picture", ["calendar.svg", "partition.svg"])
def test_the_pictures_in_the_documentation_have_the_colours_and_symbols_of_the_pages(picture: str) -> None:
    text = (PICTURES / picture).read_text(encoding="utf-8")
    light, dark = text.split("prefers-color-scheme: dark")
    for theme, part in (("light", light), ("dark", dark)):
        drawn = {
            name: value for name, value in re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", part) if name in rules("light")
        }
        assert {"passed", "on-passed", "warned", "failed"} <= drawn.keys()
        assert drawn == {name: rules(theme)[name] for name in drawn}
    for state in re.findall(r'<g id="([a-z]+)">', text):
        [drawing] = re.findall(r">(<[pc].*)</svg>", (STATIC / "symbols" / f"{state}.svg").read_text(encoding="utf-8"))
        assert drawing in text
