"""Nasty covers, each with a name: what broke the engine once, and what breaks engines of this kind.

Each is a limit W and rows of force and WKT, in metres on a plane (``tests.fuzz.PLANE``). Those found by the fuzzer say
what went wrong; what ``python -m tests.fuzz`` prints can be pasted here.
"""

from __future__ import annotations

import numpy as np
import shapely

Written = tuple[float, list[tuple[str, str]]]


def _box(west: float, south: float, east: float, north: float) -> str:
    return shapely.box(west, south, east, north).wkt


def _disc(x: float, y: float, radius: float, vertices: int) -> str:
    turn = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    return shapely.Polygon(np.column_stack([x + radius * np.cos(turn), y + radius * np.sin(turn)])).wkt


def _ring(x: float, y: float, outer: float, inner: float, vertices: int) -> str:
    return shapely.difference(*(shapely.from_wkt(_disc(x, y, radius, vertices)) for radius in (outer, inner))).wkt


def _comb(x: float, y: float, teeth: int, side: int) -> str:
    """Return teeth of 100 m, 1 km long, 300 m apart, on a back of 100 m; side 1 points north, -1 south."""
    bars = [shapely.box(x + 300 * k, y, x + 300 * k + 100, y + 1000 * side) for k in range(teeth)]
    back = shapely.box(x, y - 100 * side, x + 300 * teeth - 200, y)
    return shapely.union_all([back, *bars]).wkt


def _spiral(arm: float) -> str:
    """Return a wall of 60 m along a spiral of two turns, started at an angle."""
    turn = np.linspace(1, 4 * np.pi, 60)
    line = np.column_stack([120 * turn * np.cos(turn + arm), 120 * turn * np.sin(turn + arm)])
    return shapely.LineString(line).buffer(30, quad_segs=1, cap_style="flat").wkt


def _grid(number: int, side: float, step: float, parity: int) -> list[str]:
    fields = [(x, y) for x in range(number) for y in range(number) if (x + y) % 2 == parity]
    return [_box(x * step, y * step, x * step + side, y * step + side) for x, y in fields]


def _at(*rows: tuple[str, str | list[str]]) -> list[tuple[str, str]]:
    return [(force, wkt) for force, some in rows for wkt in ([some] if isinstance(some, str) else some)]


NASTY: dict[str, Written] = {
    # Found by the fuzzer.
    "end inside a gap triangle": (  # the first transect ran along the cut, 42 m off the cover of blue
        254.55,
        [
            ("green", "POLYGON ((1 1032, 1 934, 4 934, 1 1032))"),
            ("blue", "POLYGON ((407 0, 87 879, 308 879, 308 991, 407 0))"),
        ],
    ),
    "ground on a coarser grid": (  # edges of one force crossed, and what lies inside it was not tried on a coarser one
        3666.0,
        [
            (
                "white",
                (
                    "POLYGON ((154490.92755104185 53962.25771621168, 154490.92755104185 55441.762159595564,"
                    " 153011.42310765796 55441.762159595564, 153011.42310765796 53962.25771621168,"
                    " 154490.92755104185 53962.25771621168))"
                ),
            ),
            (
                "blue",
                (
                    "POLYGON ((157449.9389524506 51003.24594883531, 157449.9307009068 51003.257730888094,"
                    " 157449.9375784597 52482.75455621646, 157449.9379124141 52482.75765557132,"
                    " 155970.422805771 52482.75423341479, 155970.43224510035 52482.75035047897,"
                    " 155970.43266980897 51003.244226547555, 155970.4354595389 51003.245471482136,"
                    " 157449.9389524506 51003.24594883531))"
                ),
            ),
            (
                "blue",
                (
                    "POLYGON ((157449.91642799007 53962.25771982912, 157449.9164354295 53962.25771982912,"
                    " 157449.91642799007 53962.2577138868, 157449.91642799007 53962.25771982912))"
                ),
            ),
            (
                "blue",
                (
                    "POLYGON ((155970.41199444194 53962.257720686706, 155970.4119963601 55441.76216374061,"
                    " 157449.9164373845 55441.76215516367, 157449.91642799007 53962.25771982912,"
                    " 155970.41199222338 53962.257710836086, 155970.41199444194 53962.257720686706))"
                ),
            ),
        ],
    ),
    "a foot beside a corner that two forces share": (  # it lay on the edge of one, and the span counted for the other too
        4.632845134017542,
        [
            (
                "blue",
                (
                    "POLYGON ((888033.2880118972 -505004.5322989004, 888031.9212822103 -505005.48614780913,"
                    " 888035.7366778451 -505010.95306655683, 888037.1034075321 -505009.9992176481,"
                    " 888033.2880118972 -505004.5322989004))"
                ),
            ),
            (
                "red",
                (
                    "POLYGON ((888040.6632007717 -505003.4511826773, 888036.5630117109 -505006.3127294034,"
                    " 888040.3784073457 -505011.77964815113, 888044.4785964065 -505008.918101425,"
                    " 888040.6632007717 -505003.4511826773))"
                ),
            ),
            (
                "green",
                (
                    "POLYGON ((888039.0883504767 -505001.61399617285, 888033.9296398493 -505005.2142914977,"
                    " 888035.772665395 -505007.8550847137, 888040.9313760224 -505004.25478938885,"
                    " 888039.0883504767 -505001.61399617285))"
                ),
            ),
            (
                "green",
                (
                    "POLYGON ((888034.6717146498 -505003.56782384263, 888031.9382552758 -505005.47552166006,"
                    " 888033.8459530933 -505008.2089810339, 888036.5794124672 -505006.3012832165,"
                    " 888034.6717146498 -505003.56782384263))"
                ),
            ),
        ],
    ),
    "three posts round one triangle": (  # transects without length, at the centroid
        300.0,
        [("blue", _box(0, 0, 10, 10)), ("green", _box(200, 0, 210, 10)), ("red", _box(100, 170, 110, 180))],
    ),
    "touching in a corner of 60 degrees": (  # a transect without length where the two touch
        400.0,
        [
            ("blue", "POLYGON ((0 0, 1000 0, 1000 -500, 0 -500, 0 0))"),
            ("green", "POLYGON ((0 0, 500 866, -500 866, 0 0))"),
        ],
    ),
    "cut of a leaning strip": (  # a transect of 477.3 m, longer than the limit
        476.96,
        [
            ("blue", "POLYGON ((7267 1454, 0 1454, 0 1, 7267 1454))"),
            ("green", "POLYGON ((7267 3014, 1827 3014, 1827 1561, 7267 3014))"),
        ],
    ),
    "triangles back to back": (  # a corridor that was a collection of a polygon and a line
        3810.0,
        [
            ("blue", "POLYGON ((866.7 433.7, 0.9 433.7, 433.8 0.8, 866.7 433.7))"),
            ("green", "POLYGON ((1516 866.6, 1083.1 433.7, 1516 0.8, 1516 866.6))"),
        ],
    ),
    "narrower than the grid": (  # an array without elements
        100.0,
        [("blue", _box(0.0012, 0.0012, 0.0032, 0.0032)), ("red", _box(50, 0, 60, 10))],
    ),
    "all narrower than the grid": (
        100.0,
        [("blue", _box(0.0012, 0.0012, 0.0032, 0.0032)), ("red", _box(5.0012, 0.0012, 5.0032, 0.0032))],
    ),
    "a notch of centimetres between two and a third": (
        501.0,
        [
            ("blue", "POLYGON ((0 0, 55 0, 55 277, 0 277, 0 0))"),
            ("green", "POLYGON ((55.017 0.004, 110 0, 110 241, 55.017 241, 55.017 0.004))"),
            ("red", "POLYGON ((230 319, 230.2 319, 230.2 319.2, 230 319.2, 230 319))"),
        ],
    ),
    "apart by two steps of the grid": (  # both were taken to hold both edges: no corridor at either end
        900.0,
        [("blue", _box(0, 0, 3000, 1000)), ("green", _box(700, 1000.02, 4000, 2000))],
    ),
    "touching, and all of it wider than the limit but for one cut triangle": (  # a transect 14 m off the cover
        44.51,
        [
            ("red", "POLYGON ((47 40, 21 0, 65 23, 47 40))"),
            ("white", "POLYGON ((47 40, 0 48, 38 17, 47 40))"),
            ("white", "POLYGON ((106 66, 129 40, 160 59, 106 66))"),
        ],
    ),
    "closing to nothing within the sampling": (  # facets cross where the gap is narrower than 10 m: bounded, not gone
        80.0,
        [("blue", "POLYGON ((63 122, 43 104, 0 170, 63 122))"), ("red", "POLYGON ((23 0, 0 170, 68 65, 23 0))")],
    ),
    "an end that a larger limit moves by a sample": (
        335.03,
        [
            ("blue", "POLYGON ((142 413, 193 294, 206 302, 142 413))"),
            ("green", "POLYGON ((612 0, 0 301, 370 301, 469 88, 452 301, 612 0))"),
        ],
    ),
    # Slivers and spikes.
    "sliver across": (
        3000.0,
        [
            ("blue", _box(0, 0, 5000, 1000)),
            ("green", _box(0, 2500, 5000, 3500)),
            ("red", "POLYGON ((-500 1700, 5500 1700.004, 5500 1700.02, -500 1700))"),
        ],
    ),
    "spike that reaches over": (
        3000.0,
        [
            ("blue", "POLYGON ((0 0, 5000 0, 5000 1000, 2500.01 1000, 2500 2499.99, 2499.99 1000, 0 1000, 0 0))"),
            ("green", _box(0, 2500, 5000, 3500)),
        ],
    ),
    "spike thinner than the grid": (
        3000.0,
        [
            ("blue", "POLYGON ((0 0, 5000 0, 5000 1000, 2500.003 1000, 2500 2400, 2499.997 1000, 0 1000, 0 0))"),
            ("green", _box(0, 2500, 5000, 3500)),
        ],
    ),
    "spike inwards": (
        3000.0,
        [
            ("blue", "POLYGON ((0 0, 5000 0, 5000 1000, 2500.02 1000, 2500 10, 2499.98 1000, 0 1000, 0 0))"),
            ("green", _box(0, 2500, 5000, 3500)),
        ],
    ),
    "spikes tip to tip": (
        500.0,
        [
            ("blue", "POLYGON ((0 0, 1000 499, 1000 501, 0 1000, 0 0))"),
            ("green", "POLYGON ((1000 500, 2000 0, 2000 1000, 1000 500))"),
        ],
    ),
    "sliver of a zone between two others": (
        2000.0,
        [
            ("blue", _box(0, 0, 4000, 1000)),
            ("green", _box(0, 1000.02, 4000, 2000)),
            ("red", "POLYGON ((0 1000, 4000 1000, 4000 1000.02, 0 1000.02, 0 1000))"),
        ],
    ),
    # Holes, nests, rings.
    "holes of holes": (
        180.0,
        _at(
            ("blue", [_ring(0, 0, 1000, 900, 24), _ring(0, 0, 600, 500, 24), _disc(0, 0, 100, 12)]),
            ("green", [_ring(0, 0, 800, 700, 24), _ring(0, 0, 400, 300, 24)]),
        ),
    ),
    "concentric rings that touch": (
        900.0,
        _at(
            ("blue", [_ring(0, 0, 3000, 2500, 32), _ring(0, 0, 2000, 1500, 32)]),
            ("green", [_ring(0, 0, 2500, 2000, 32), _disc(0, 0, 1000, 32)]),
        ),
    ),
    "hole filled to the millimetre": (
        500.0,
        [
            (
                "blue",
                "POLYGON ((0 0, 3000 0, 3000 3000, 0 3000, 0 0), (1000 1000, 1000 2000, 2000 2000, 2000 1000, 1000 1000))",
            ),
            (
                "green",
                "POLYGON ((1000.001 1000.001, 1999.999 1000.001, 1999.999 1999.999, 1000.001 1999.999, 1000.001 1000.001))",
            ),
        ],
    ),
    "hole that touches its ring": (
        800.0,
        [
            (
                "blue",
                "POLYGON ((0 0, 3000 0, 3000 3000, 0 3000, 0 0), (0 1500, 1500 2500, 2500 1500, 1500 500, 0 1500))",
            ),
            ("green", _box(1200, 1200, 1800, 1800)),
        ],
    ),
    "eccentric disc that nearly touches its ring": (
        3000.0,
        [("blue", _ring(0, 0, 5000, 3000, 96)), ("green", _disc(1999.9, 0, 1000, 96))],
    ),
    "narrow neck": (
        1200.0,
        [
            ("blue", "POLYGON ((0 0, 2000 0, 2000 990, 4000 990, 4000 0, 6000 0, 6000 -500, 0 -500, 0 0))"),
            (
                "green",
                "POLYGON ((0 2000, 2000 2000, 2000 1010, 4000 1010, 4000 2000, 6000 2000, 6000 2500, 0 2500, 0 2000))",
            ),
        ],
    ),
    "bay behind a narrow mouth": (
        1500.0,
        [
            (
                "blue",
                (
                    "POLYGON ((0 0, 4000 0, 4000 4000, 2005 4000, 2005 3000, 3000 3000, 3000 1000, 1000 1000, "
                    "1000 3000, 1995 3000, 1995 4000, 0 4000, 0 0))"
                ),
            ),
            ("green", _disc(2000, 2000, 300, 32)),
            ("red", _box(0, 5000, 4000, 6000)),
        ],
    ),
    # Shared edges and corners.
    "edge shared by two": (2000.0, [("blue", _box(0, 0, 3000, 1000)), ("green", _box(0, 1000, 3000, 2000))]),
    "edge shared in part": (2000.0, [("blue", _box(0, 0, 3000, 1000)), ("green", _box(1500, 1000, 4500, 2000))]),
    "edge shared with vertices that differ": (
        1500.0,
        [
            ("blue", "POLYGON ((0 0, 3000 0, 3000 1000, 1700 1000, 900 1000, 0 1000, 0 0))"),
            ("green", "POLYGON ((-500 1000, 333.33 1000, 2100 1000, 3500 1000, 3500 2000, -500 2000, -500 1000))"),
        ],
    ),
    "three forces at one corner": (
        3000.0,
        [
            ("blue", "POLYGON ((0 0, 2000 0, 1000 1732, 0 0))"),
            ("green", "POLYGON ((0 0, -2000 0, -1000 -1732, 0 0))"),
            ("red", "POLYGON ((0 0, -1000 1732, -500 2000, 0 0))"),
        ],
    ),
    "three forces that share edges round a court": (
        3000.0,
        [
            ("blue", "POLYGON ((0 0, 3000 0, 3000 1000, 1000 1000, 1000 3000, 0 3000, 0 0))"),
            ("green", "POLYGON ((3000 0, 4000 0, 4000 4000, 3000 4000, 3000 0))"),
            ("red", "POLYGON ((0 3000, 3000 3000, 3000 4000, 0 4000, 0 3000))"),
        ],
    ),
    "four corners in one point": (
        1200.0,
        [
            ("blue", _box(0, 0, 1000, 1000)),
            ("green", _box(1000, 1000, 2000, 2000)),
            ("blue", _box(1000, -1, 2000, 1000)),
            ("red", _box(0, 1000, 1000, 2000)),
        ],
    ),
    "chequerboard of two": (800.0, _at(("blue", _grid(4, 500, 500, 0)), ("green", _grid(4, 500, 500, 1)))),
    "chequerboard with fields left out": (
        800.0,
        _at(("blue", _grid(3, 500, 500, 0)), ("green", _box(2000, 0, 2500, 2500))),
    ),
    "boxes on a grid": (1000.0, _at(("blue", _grid(4, 500, 1000, 0)), ("green", _grid(4, 500, 1000, 1)))),
    "boxes on a grid, as far apart as the limit": (
        500.0,
        _at(("blue", _grid(4, 500, 1000, 0)), ("green", _grid(4, 500, 1000, 1))),
    ),
    "overlap by a millimetre": (2000.0, [("blue", _box(0, 0, 3000, 1000)), ("green", _box(500, 999.999, 3500, 2000))]),
    "overlap by 5 mm, leaning": (
        2000.0,
        [
            ("blue", _box(0, 0, 3000, 1000)),
            ("green", "POLYGON ((500 999.995, 3500 1000.005, 3500 2000, 500 2000, 500 999.995))"),
        ],
    ),
    "apart by 9 mm": (2000.0, [("blue", _box(0, 0, 3000, 1000)), ("green", _box(0, 1000.009, 3000, 2000))]),
    "apart by 3 cm, leaning": (
        2000.0,
        [("blue", _box(0, 0, 3000, 1000)), ("green", "POLYGON ((0 1000.03, 3000 1040, 3000 2000, 0 2000, 0 1000.03))")],
    ),
    "edges that cross at a hair": (
        2000.0,
        [
            ("blue", "POLYGON ((0 0, 3000 0, 3000 1000.01, 0 999.99, 0 0))"),
            ("green", "POLYGON ((0 1000.01, 3000 999.99, 3000 2000, 0 2000, 0 1000.01))"),
        ],
    ),
    "held by both": (
        1500.0,
        [
            ("blue", _box(0, 0, 3000, 1000)),
            ("green", _box(0, 2000, 3000, 3000)),
            ("blue", _box(1300, 1300, 1700, 1700)),
            ("green", _box(1300, 1300, 1700, 1700)),
        ],
    ),
    "held by both and facing a third": (
        1500.0,
        [
            ("blue", _box(0, 0, 3000, 1000)),
            ("green", _box(1000, 0, 3000, 1000)),
            ("red", _box(0, 2000, 3000, 3000)),
        ],
    ),
    "all the same": (
        1000.0,
        [("blue", _disc(0, 0, 800, 16)), ("green", _disc(0, 0, 800, 16)), ("red", _disc(0, 0, 800, 16))],
    ),
    # Vertices.
    "vertices twice and nearly twice": (
        1500.0,
        [
            (
                "blue",
                "POLYGON ((0 0, 0 0, 3000 0, 3000 1000, 3000 1000, 2999.999 1000, 1500.004 1000, 1500 1000, 0 1000, 0 0))",
            ),
            ("green", "POLYGON ((0 2000, 1000 2000, 1000.000001 2000, 3000 2000, 3000 3000, 0 3000, 0 2000))"),
        ],
    ),
    "2 000 vertices on a circle": (
        1000.0,
        [("blue", _disc(0, 0, 2000, 2000)), ("green", _ring(0, 0, 4000, 2900, 90))],
    ),
    "one circle, many forces": (
        2500.0,
        [
            (("blue", "green", "red")[k % 3], _disc(1000 * np.cos(k * np.pi / 6), 1000 * np.sin(k * np.pi / 6), 1, 4))
            for k in range(12)
        ],
    ),
    "walls in line": (
        800.0,
        [("blue" if k % 2 else "green", _box(700 * k, 0, 700 * k + 400, 0.5)) for k in range(6)],
    ),
    "walls in line, touching": (
        800.0,
        [("blue" if k % 2 else "green", _box(400 * k, 0, 400 * k + 400, 1)) for k in range(6)],
    ),
    "strips as far apart as the limit": (
        1000.0,
        [("blue", _box(0, 0, 5000, 500)), ("green", _box(0, 1500, 5000, 2000))],
    ),
    "strips 2 cm within the limit": (
        1000.0,
        [("blue", _box(0, 0, 5000, 500)), ("green", _box(0, 1499.98, 5000, 2000))],
    ),
    # Shapes.
    "combs that mesh": (500.0, [("blue", _comb(0, 0, 5, 1)), ("green", _comb(150, 1300, 5, -1))]),
    "combs tooth to tooth": (1200.0, [("blue", _comb(0, 0, 5, 1)), ("green", _comb(0, 2500, 5, -1))]),
    "spirals": (500.0, [("blue", _spiral(0)), ("green", _spiral(np.pi))]),
    "posts of a metre": (
        5000.0,
        [
            ("blue", _box(0, 0, 8000, 1000)),
            ("green", _box(0, 5000, 8000, 6000)),
            ("red", _box(2000, 3000, 2001, 3001)),
            ("blue", _box(4000, 2000, 4001, 2001)),
            ("green", _box(6000, 3000, 6001, 3001)),
        ],
    ),
    "posts of a metre, nothing else": (
        5000.0,
        [
            (("blue", "green")[k % 2], _box(x, y, x + 1, y + 1))
            for k, (x, y) in enumerate([(0, 0), (3000, 100), (1500, 2500), (4000, 4000), (100, 4100)])
        ],
    ),
    "tiny limit": (0.5, [("blue", _box(0, 0, 200, 100)), ("green", _box(0, 100.4, 200, 200))]),
    "huge limit": (
        200_000.0,
        [("blue", _box(0, 0, 10, 10)), ("green", _box(30, 0, 40, 10)), ("red", _box(10, 25, 20, 35))],
    ),
    "one force": (1000.0, [("blue", _box(0, 0, 10, 10)), ("blue", _box(30, 0, 40, 10))]),
    # With edges left out that face no other force, discs saw through the two walls of a slit into ground where covers meet.
    "slits of 2 cm in merged ground (fuzzer)": (
        4249.0,
        [
            (
                "green",
                "POLYGON ((231020.73119594282 157711.21408762742, 226166.99649476883 152857.47938645343, 221313.2617935948 157711.21408762742, 226166.99649476883 162564.94878880144, 231020.73119594282 157711.21408762742), (222006.6524651911 157711.21408762742, 226166.99649476883 153550.8700580497, 230327.34052434654 157711.21408762742, 226166.99649476883 161871.55811720516, 222006.6524651911 157711.21408762742))",
            ),
            (
                "green",
                "POLYGON ((230327.32052434655 157711.23408762744, 226166.9764947688 153550.8900580497, 222006.6324651911 157711.23408762744, 226166.9764947688 161871.57811720515, 230327.32052434655 157711.23408762744), (222822.53111156877 157761.15758908726, 226289.48446955023 154294.20423110583, 229756.43782753165 157761.15758908726, 226289.48446955023 161228.11094706872, 222822.53111156877 157761.15758908726))",
            ),
            (
                "green",
                "POLYGON ((229756.45782753165 157761.13758908727, 226289.50446955021 154294.18423110584, 222822.55111156878 157761.13758908727, 226289.50446955021 161228.0909470687, 229756.45782753165 157761.13758908727), (223393.43380838368 157711.21408762742, 226166.99649476883 154937.6514012423, 228940.55918115395 157711.21408762742, 226166.99649476883 160484.77677401257, 223393.43380838368 157711.21408762742))",
            ),
            (
                "blue",
                "POLYGON ((228940.57918115397 157711.21408762742, 226167.01649476882 154937.6514012423, 223393.45380838367 157711.21408762742, 226167.01649476882 160484.77677401257, 228940.57918115397 157711.21408762742), (224086.84447997995 157711.21408762742, 226167.01649476882 155631.04207283858, 228247.1885095577 157711.21408762742, 226167.01649476882 159791.3861024163, 224086.84447997995 157711.21408762742))",
            ),
            (
                "green",
                "POLYGON ((228247.06850955766 157711.21408762742, 226166.89649476882 155631.04207283858, 224086.72447997995 157711.21408762742, 226166.89649476882 159791.3861024163, 228247.06850955766 157711.21408762742), (224780.11515157623 157711.21408762742, 226166.89649476882 156324.43274443486, 227553.67783796138 157711.21408762742, 226166.89649476882 159097.99543082, 224780.11515157623 157711.21408762742))",
            ),
            (
                "green",
                "POLYGON ((227553.7778379614 157711.21408762742, 226166.99649476883 156324.43274443486, 224780.21515157624 157711.21408762742, 226166.99649476883 159097.99543082, 227553.7778379614 157711.21408762742))",
            ),
        ],
    ),
    # White's edge runs 1 cm behind the middle of green's, which was taken to be white's throughout.
    "an edge close behind part of another's (fuzzer)": (
        571.0,
        [
            (
                "red",
                "POLYGON ((295543.85217675386 -21373.364146795204, 295268.09016691725 -21797.38139596607, 295413.4000109947 -21642.440340508416, 295543.85217675386 -21373.364146795204))",
            ),
            (
                "green",
                "POLYGON ((294932.8320984599 -21612.53817613166, 294932.77145867003 -21612.53817613166, 294932.77145867003 -21958.544081781656, 294932.8320984599 -21958.544081781656, 294932.8320984599 -21612.53817613166))",
            ),
            (
                "white",
                "POLYGON ((294932.82209845993 -21742.227056033917, 294932.7930456632 -21742.227056033917, 294932.7930456632 -21843.497073535447, 294932.82209845993 -21843.497073535447, 294932.82209845993 -21742.227056033917))",
            ),
            (
                "red",
                "POLYGON ((295167.8125171412 -21957.04196240966, 294917.05486997747 -21975.192812046513, 295042.4334310355 -21966.113760408178, 295167.8125171412 -21957.04196240966))",
            ),
        ],
    ),
}
