"""How far apart two colours look: CIEDE2000, for full sight and for three kinds of colour blindness.

The difference follows Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula" (2005); the simulations are the matrices
of Machado, Oliveira and Fernandes (2009) for complete protanopia, deuteranopia and tritanopia, on linear RGB.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SIGHTS = {
    "full": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = _XYZ @ np.ones(3)


def lab(rgb: Iterable[int], sight: str = "full") -> Floats:
    """Return CIE L*a*b* (D65) of an sRGB colour, as somebody with that sight sees it."""
    coded = np.array(list(rgb), dtype=float) / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(SIGHTS[sight] @ linear, 0, 1)
    t = _XYZ @ seen / _WHITE
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def ciede2000(one: Iterable[float], other: Iterable[float]) -> float:
    """Return the difference of two colours in L*a*b*."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_c = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    g = 0.5 * (1 - math.sqrt(mean_c**7 / (mean_c**7 + 25.0**7)))
    (c1, h1), (c2, h2) = (
        (math.hypot((1 + g) * a, b), math.atan2(b, (1 + g) * a) % math.tau) for a, b in ((a1, b1), (a2, b2))
    )
    far = abs(h2 - h1) > math.pi + 1e-9  # the mean of two hues lies on the shorter way round
    turn = h2 - h1 - (math.copysign(math.tau, h2 - h1) if far else 0)
    mean_h = (h1 + h2) / 2 + (math.pi if far else 0)
    if c1 * c2 == 0:  # grey has no hue
        turn, mean_h = 0.0, h1 + h2
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    t = 1 - 0.17 * math.cos(mean_h - math.radians(30)) + 0.24 * math.cos(2 * mean_h)
    t += 0.32 * math.cos(3 * mean_h + math.radians(6)) - 0.20 * math.cos(4 * mean_h - math.radians(63))
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / math.sqrt(20 + (mean_l - 50) ** 2)
    s_c, s_h = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    bend = math.radians(30) * math.exp(-(((math.degrees(mean_h) - 275) / 25) ** 2))
    r = -2 * math.sqrt(mean_c**7 / (mean_c**7 + 25.0**7)) * math.sin(2 * bend)
    light, chroma, hue = (l2 - l1) / s_l, (c2 - c1) / s_c, 2 * math.sqrt(c1 * c2) * math.sin(turn / 2) / s_h
    return math.sqrt(light**2 + chroma**2 + hue**2 + r * chroma * hue)


def closest(colours: Iterable[Iterable[int]], sight: str) -> float:
    """Return the difference between the two most alike of some sRGB colours, as somebody with that sight sees them."""
    seen = [lab(colour, sight) for colour in colours]
    return min(ciede2000(one, other) for one, other in combinations(seen, 2))
