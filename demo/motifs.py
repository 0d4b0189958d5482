"""What the pinboard's pictures show: each motif draws itself on a sheet, differently for each seed."""

import math
from collections.abc import Callable
from itertools import pairwise

from .sheet import Sheet

Motif = Callable[[Sheet], None]


def hills(s: Sheet) -> None:
    s.wash(s.inks[3], s.paper)
    s.disc(s.rng.uniform(0.2, 0.8), s.ratio * 0.3, 0.09, s.inks[2])
    for layer, ink in enumerate([s.inks[2], s.inks[1], s.inks[1], s.inks[0]]):
        base = s.ratio * (0.48 + layer * 0.14)
        phase, pace = s.rng.uniform(0, 6), s.rng.uniform(3, 6)
        ridge = [
            (x / 60, base + 0.05 * math.sin(phase + pace * x / 60) + 0.03 * math.sin(2.3 * pace * x / 60))
            for x in range(61)
        ]
        s.shape([(0, s.ratio), *ridge, (1, s.ratio)], ink)


def sun_bands(s: Sheet) -> None:
    s.box(0, 0, 1, s.ratio, s.inks[3])
    s.disc(0.5, s.ratio * 0.45, 0.28, s.inks[2])
    y, height = s.ratio * 0.42, 0.012
    while y < s.ratio:
        s.box(0, y, 1, height, s.inks[0] if height > 0.045 else s.inks[1])
        y += height * 1.9
        height *= s.rng.uniform(1.1, 1.35)


def circles(s: Sheet) -> None:
    s.frame(0.05, 0.05, 0.9, s.ratio - 0.1, s.inks[0])
    for number in range(7):
        radius = s.rng.uniform(0.06, 0.2)
        x, y = s.rng.uniform(0.15, 0.85), s.rng.uniform(0.15, s.ratio - 0.15)
        if number % 3 == 2:
            s.disc(x, y, radius, s.inks[0], outline=0.012)
        else:
            s.disc(x, y, radius, s.inks[number % 4])
    for _ in range(3):
        x, y = s.rng.uniform(0, 0.7), s.rng.uniform(0, s.ratio)
        s.line([(x, y), (x + 0.4, y - s.rng.uniform(0.1, 0.4))], s.inks[0], 0.01)


def letter(s: Sheet) -> None:
    _sign(s, s.rng.choice("aegkQRS?Jß"))


def ampersand(s: Sheet) -> None:
    _sign(s, "&")


def _sign(s: Sheet, sign: str) -> None:
    s.box(0, 0, 1, s.ratio, s.inks[s.rng.choice([1, 2, 3])])
    s.text(0.515, s.ratio * 0.49 + 0.015, sign, 0.82, s.inks[0], bold=True)
    s.text(0.5, s.ratio * 0.48, sign, 0.82, s.paper, bold=True)
    s.text(0.07, s.ratio - 0.07, f"No. {s.rng.randint(2, 48)}", 0.035, s.paper, anchor="ls")


def specimen(s: Sheet) -> None:
    rows = ["Aa Bb Cc", "Hamburgefonts", "1234567890", "fi fl ff & ?!", "Quartz jug", "minimum"]
    s.rng.shuffle(rows)
    s.box(0.06, 0.06, 0.88, 0.012, s.inks[1])
    y, size = 0.21, 0.15
    for number, row in enumerate(rows):
        size = min(size, 1.3 / len(row))
        s.text(0.06, y, row, size, s.inks[0] if number % 3 else s.inks[1], anchor="ls", bold=number % 2 == 0)
        size *= 0.82
        y += size * 1.28
    s.box(0.06, s.ratio - 0.1, 0.88, 0.004, s.inks[0])
    s.text(0.06, s.ratio - 0.06, "SPECIMEN SHEET", 0.024, s.inks[0], anchor="ls")


def halftone(s: Sheet) -> None:
    cx, cy = s.rng.uniform(0.3, 0.7), s.rng.uniform(0.3, s.ratio - 0.3)
    step = 0.03
    for row in range(int(s.ratio / step) + 1):
        for column in range(int(1 / step) + 1):
            x, y = (column + 0.5 * (row % 2)) * step, row * step
            size = step * 0.62 * max(0.12, 1 - math.hypot(x - cx, y - cy) * 1.5)
            s.disc(x, y, size, s.inks[1])
    s.disc(cx, cy, 0.1, s.inks[2], outline=0.02)


def truchet(s: Sheet) -> None:
    s.box(0, 0, 1, s.ratio, s.inks[0])
    cells = s.rng.choice([5, 6, 7])
    side = 1 / cells
    for row in range(math.ceil(s.ratio * cells)):
        for column in range(cells):
            x, y = column * side, row * side
            ink = s.inks[1 + (row + column) % 3]
            if s.rng.random() < 0.5:
                s.arc(x, y, side / 2 + 0.02, 0, 90, ink, 0.04)
                s.arc(x + side, y + side, side / 2 + 0.02, 180, 270, ink, 0.04)
            else:
                s.arc(x + side, y, side / 2 + 0.02, 90, 180, ink, 0.04)
                s.arc(x, y + side, side / 2 + 0.02, 270, 360, ink, 0.04)


def quarters(s: Sheet) -> None:
    cells = s.rng.choice([3, 4, 5])
    side = 1 / cells
    for row in range(math.ceil(s.ratio * cells)):
        for column in range(cells):
            x, y = column * side, row * side
            back, front = s.rng.sample([s.paper, *s.inks], 2)
            s.box(x, y, side, side, back)
            corner = s.rng.choice([(0, 0, 0), (1, 0, 90), (1, 1, 180), (0, 1, 270)])
            s.slice(x + corner[0] * side, y + corner[1] * side, side, corner[2], corner[2] + 90, front)


def press(s: Sheet) -> None:
    """Draw a proofing press in front of a wall, a sheet with one large letter hanging over its edge."""
    floor = s.ratio * 0.84
    s.box(0, 0, 1, floor, s.inks[3])
    s.box(0, floor, 1, s.ratio - floor, s.inks[2])
    for x, sign in ((0.1, "a"), (0.76, "&")):
        s.shadow(x + 0.006, 0.068, 0.13, 0.17, blur=0.008, depth=60)
        s.box(x, 0.06, 0.13, 0.17, s.paper)
        s.text(x + 0.065, 0.143, sign, 0.1, s.inks[1], bold=True)
    s.shadow(0.14, floor - 0.005, 0.72, 0.02, blur=0.012, depth=110)
    for x in (0.2, 0.72):
        s.shape([(x, 0.36), (x + 0.08, 0.36), (x + 0.1, floor), (x - 0.02, floor)], s.inks[0])
    s.box(0.26, 0.45, 0.5, 0.014, s.inks[0])
    s.box(0.12, 0.31, 0.76, 0.055, s.inks[0], corner=0.008)
    s.box(0.12, 0.301, 0.76, 0.014, s.inks[1])
    s.box(0.48, 0.294, 0.32, 0.008, s.paper)
    s.box(0.66, 0.294, 0.14, 0.19, s.paper)
    s.text(0.73, 0.4, "R", 0.12, s.inks[1], bold=True)
    s.disc(0.44, 0.21, 0.1, s.inks[0])
    s.disc(0.44, 0.21, 0.082, s.inks[1])
    s.disc(0.44, 0.21, 0.082, s.paper, outline=0.004)
    s.disc(0.44, 0.21, 0.022, s.inks[0])
    for turn in range(6):
        angle = turn * math.pi / 3 + 0.3
        s.line([(0.44, 0.21), (0.44 + 0.075 * math.cos(angle), 0.21 + 0.075 * math.sin(angle))], s.paper, 0.005)
    s.line([(0.44, 0.21), (0.32, 0.11)], s.inks[0], 0.014)
    s.disc(0.318, 0.108, 0.018, s.inks[2])
    s.box(0.25, floor - 0.075, 0.13, 0.075, s.inks[2], corner=0.01)
    s.box(0.255, floor - 0.09, 0.12, 0.02, s.paper, corner=0.004)


def waves(s: Sheet) -> None:
    s.box(0, 0, 1, s.ratio * 0.4, s.inks[3])
    s.disc(s.rng.uniform(0.25, 0.75), s.ratio * 0.24, 0.11, s.paper)
    rows = 14
    for row in range(rows):
        base = s.ratio * (0.34 + 0.66 * row / rows)
        phase = s.rng.uniform(0, 6)
        crest = [(x / 50, base + 0.018 * math.sin(phase + x * 0.45)) for x in range(51)]
        s.shape([(0, s.ratio), *crest, (1, s.ratio)], [s.inks[2], s.inks[1], s.inks[0]][row % 3])


def branch(s: Sheet) -> None:
    lean = s.rng.uniform(-0.15, 0.15)
    stem = [(0.5 + lean * t * t, s.ratio * (0.94 - 0.86 * t)) for t in [i / 30 for i in range(31)]]
    s.line(stem, s.inks[0], 0.01)
    for number in range(2, 29, 3):
        x, y = stem[number]
        length = 0.26 * (1 - number / 36)
        for side in (-1, 1):
            angle = math.radians(s.rng.uniform(25, 50))
            tip = (x + side * length * math.cos(angle), y - length * math.sin(angle))
            _leaf(s, (x, y), tip, s.inks[1 + (number + side) % 3])


def _leaf(s: Sheet, root: tuple[float, float], tip: tuple[float, float], ink: str) -> None:
    (x0, y0), (x1, y1) = root, tip
    nx, ny = (y0 - y1) * 0.28, (x1 - x0) * 0.28
    curve = [i / 12 for i in range(13)]
    upper = [
        (x0 + (x1 - x0) * t + nx * math.sin(math.pi * t), y0 + (y1 - y0) * t + ny * math.sin(math.pi * t))
        for t in curve
    ]
    lower = [
        (x0 + (x1 - x0) * t - nx * math.sin(math.pi * t), y0 + (y1 - y0) * t - ny * math.sin(math.pi * t))
        for t in curve
    ]
    s.shape([*upper, *reversed(lower)], ink)
    s.line([root, tip], s.paper, 0.003)


def rings(s: Sheet) -> None:
    s.box(0, 0, 1, s.ratio, s.inks[0])
    x, y = s.rng.uniform(0.25, 0.75), s.rng.uniform(0.3, s.ratio - 0.3)
    radius, turn = 1.1, 0
    while radius > 0.03:
        s.disc(x + s.rng.uniform(-0.006, 0.006), y, radius, [s.paper, s.inks[1], s.inks[3], s.inks[2]][turn % 4])
        radius *= s.rng.uniform(0.8, 0.9)
        turn += 1


def houses(s: Sheet) -> None:
    s.wash(s.inks[3], s.paper)
    for row in range(3):
        x = -0.05
        base = s.ratio * (0.62 + row * 0.19)
        while x < 1:
            width, height = s.rng.uniform(0.12, 0.2), s.rng.uniform(0.18, 0.34)
            ink = s.inks[row if row < 2 else 0] if s.rng.random() < 0.7 else s.inks[2]
            s.box(x, base - height, width, s.ratio, ink)
            s.shape(
                [(x, base - height), (x + width / 2, base - height - width * 0.6), (x + width, base - height)],
                s.inks[0],
            )
            for floor in range(2):
                s.box(x + width * 0.28, base - height + 0.04 + floor * 0.1, width * 0.16, 0.045, s.paper)
                s.box(x + width * 0.58, base - height + 0.04 + floor * 0.1, width * 0.16, 0.045, s.inks[3])
            x += width + 0.005


def stars(s: Sheet) -> None:
    s.wash(s.inks[0], s.inks[1])
    points = [(s.rng.uniform(0.08, 0.92), s.rng.uniform(0.08, s.ratio - 0.08)) for _ in range(16)]
    for first, second in pairwise(points[:9]):
        s.line([first, second], s.inks[3], 0.002)
    for x, y in points:
        s.disc(x, y, s.rng.uniform(0.006, 0.016), s.paper)
    for _ in range(120):
        s.disc(s.rng.random(), s.rng.random() * s.ratio, 0.0022, s.inks[3])


def vase(s: Sheet) -> None:
    s.box(0, 0, 1, s.ratio * 0.68, s.inks[3])
    s.box(0, s.ratio * 0.68, 1, s.ratio, s.inks[2])
    top, foot = s.ratio * 0.48, s.ratio * 0.8
    for _ in range(9):
        x, y = 0.5 + s.rng.uniform(-0.3, 0.3), s.rng.uniform(0.12, s.ratio * 0.34)
        s.line([(0.5, top), (x, y)], s.inks[0], 0.006)
        s.disc(x, y, s.rng.uniform(0.025, 0.06), s.rng.choice([s.paper, s.inks[1]]))
    s.shape([(0.43, top), (0.57, top), (0.6, top + 0.06), (0.55, foot), (0.45, foot), (0.4, top + 0.06)], s.inks[1])
    s.oval(0.5, (top + foot) / 2 + 0.02, 0.15, (foot - top) * 0.42, s.inks[1])
    s.oval(0.5, top, 0.07, 0.016, s.inks[0])


def fruit(s: Sheet) -> None:
    s.box(0, s.ratio * 0.6, 1, s.ratio, s.inks[3])
    for number in range(s.rng.choice([3, 4, 5])):
        x, y = 0.2 + number * 0.15, s.ratio * (0.62 + s.rng.uniform(-0.02, 0.08))
        ink = s.inks[1 + number % 2]
        s.oval(x, y + 0.085, 0.13, 0.025, s.inks[0])
        s.disc(x, y, 0.1, ink)
        s.oval(x, y - 0.1, 0.055, 0.1, ink)
        s.line([(x, y - 0.19), (x + 0.02, y - 0.25)], s.inks[0], 0.009)
        _leaf(s, (x + 0.012, y - 0.225), (x + 0.1, y - 0.27), s.inks[0])


def fish(s: Sheet) -> None:
    s.box(0, 0, 1, s.ratio, s.inks[1])
    for row in range(int(s.ratio / 0.17)):
        for column in range(4):
            x, y = 0.13 + column * 0.25 + 0.1 * (row % 2), 0.11 + row * 0.17
            ink = s.rng.choice([s.paper, s.inks[3], s.inks[2]])
            s.oval(x, y, 0.075, 0.033, ink)
            s.shape([(x + 0.06, y), (x + 0.11, y - 0.035), (x + 0.11, y + 0.035)], ink)
            s.disc(x - 0.045, y - 0.006, 0.007, s.inks[0])


def weave(s: Sheet) -> None:
    s.box(0, 0, 1, s.ratio, s.inks[3])
    count = s.rng.choice([9, 11, 13])
    step = 1 / count
    for column in range(count):
        s.box(column * step + step * 0.2, 0, step * 0.6, s.ratio, s.inks[1])
    for row in range(int(s.ratio * count)):
        s.box(0, row * step + step * 0.2, 1, step * 0.6, s.inks[2])
        for column in range(row % 2, count, 2):
            s.box(column * step + step * 0.2, row * step, step * 0.6, step, s.inks[1])


def mountain(s: Sheet) -> None:
    s.wash(s.inks[2], s.paper)
    s.disc(s.rng.uniform(0.2, 0.8), s.ratio * 0.22, 0.07, s.paper)
    for number in range(3):
        x, peak = s.rng.uniform(0.15, 0.85), s.ratio * (0.3 + number * 0.13)
        left, right, foot = x - 0.55, x + 0.55, s.ratio * 0.95
        s.shape([(left, foot), (x, peak), (right, foot)], s.inks[[1, 1, 0][number]])
        snow = 0.16
        tip = [
            (x, peak),
            (x + 0.55 * snow, peak + (foot - peak) * snow),
            (x + 0.02, peak + 0.07),
            (x - 0.03, peak + 0.1),
        ]
        s.shape([*tip, (x - 0.55 * snow, peak + (foot - peak) * snow)], s.paper)
    s.box(0, s.ratio * 0.86, 1, s.ratio, s.inks[0])


MOTIFS: dict[str, Motif] = {
    motif.__name__: motif
    for motif in (
        hills, sun_bands, circles, letter, ampersand, specimen, halftone, truchet, quarters, waves, branch, rings,
        houses, stars, vase, fruit, fish, weave, mountain, press,
    )
}  # fmt: skip
