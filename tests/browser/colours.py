"""Whether text can be read on its ground, as WCAG 2 measures it."""

from __future__ import annotations

import re

# The values of a page's custom properties, by their names.
COLOURS = "names => names.map(name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim())"


def contrast(one: str, other: str) -> float:
    """From 1 to 21, of two opaque colours: "#rrggbb" or "rgb(...)"."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    pairs = re.findall("[0-9a-f]{2}", colour, re.IGNORECASE) if colour.startswith("#") else []
    channels = [int(pair, 16) / 255 for pair in pairs] or [int(number) / 255 for number in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
