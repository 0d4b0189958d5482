"""How the things in the shop look: each form takes a motif for its surface and stands on a plain ground."""

import math
from collections.abc import Callable

from .motifs import MOTIFS
from .sheet import Sheet

Form = Callable[[Sheet, str, str], None]
RATIO = 1.0


def surface(s: Sheet, motif: str, palette: str, ratio: float, *, width: int = 400) -> Sheet:
    """Return the printed side: the motif, or the plain first ink when there is none."""
    sheet = Sheet(ratio, palette, s.rng.randint(1, 9999), width=width)
    if motif in MOTIFS:
        MOTIFS[motif](sheet)
    else:
        sheet.box(0, 0, 1, ratio, sheet.inks[1])
    return sheet


def notebook(s: Sheet, motif: str, palette: str) -> None:
    s.shadow(0.27, 0.17, 0.5, 0.7)
    s.box(0.275, 0.155, 0.485, 0.69, "#f7f2e6", corner=0.012)
    for page in range(3):
        s.line([(0.757 - page * 0.004, 0.16), (0.757 - page * 0.004, 0.84)], "#d9cfba", 0.0015)
    s.place(surface(s, motif, palette, 1.42), 0.26, 0.15, 0.485, corner=0.012)
    s.box(0.26, 0.15, 0.045, 0.689, s.inks[0], corner=0.01)
    if motif == "plain":
        s.box(0.4, 0.27, 0.24, 0.13, "#f7f2e6")
        s.frame(0.41, 0.28, 0.22, 0.11, s.inks[0], 0.002)


def notebook_set(s: Sheet, motif: str, palette: str) -> None:
    for number, x in enumerate((0.14, 0.28, 0.42)):
        y = 0.2 + number * 0.04
        s.shadow(x + 0.01, y + 0.02, 0.4, 0.55)
        s.place(surface(s, motif, palette, 1.38), x, y, 0.4, corner=0.01)
        s.line([(x + 0.02, y), (x + 0.02, y + 0.552)], s.inks[0], 0.005)


def framed_print(s: Sheet, motif: str, palette: str) -> None:
    s.box(0, 0.8, 1, 0.2, "#d8c7ae")
    s.box(0, 0.8, 1, 0.006, "#b9a486")
    s.shadow(0.25, 0.11, 0.53, 0.7, depth=70)
    s.box(0.24, 0.09, 0.52, 0.71, "#6d4c35")
    s.box(0.255, 0.105, 0.49, 0.68, "#fdfbf5")
    s.place(surface(s, motif, palette, 1.4), 0.3, 0.155, 0.4)


def loose_print(s: Sheet, motif: str, palette: str) -> None:
    s.shadow(0.21, 0.11, 0.6, 0.8)
    s.box(0.2, 0.09, 0.6, 0.81, "#fdfbf5")
    s.place(surface(s, motif, palette, 1.34), 0.235, 0.125, 0.53)
    s.text(0.235, 0.865, "14 / 60", 0.02, "#7a7268", anchor="lm")


def mug(s: Sheet, motif: str, palette: str) -> None:
    s.box(0, 0.74, 1, 0.26, "#dccdb6")
    s.shadow(0.26, 0.76, 0.46, 0.06, blur=0.03, depth=120)
    s.arc(0.7, 0.5, 0.14, -100, 100, "#f7f3ea", 0.045)
    s.box(0.27, 0.28, 0.44, 0.5, "#f7f3ea", corner=0.05)
    s.oval(0.49, 0.285, 0.22, 0.045, "#fffdf7")
    s.oval(0.49, 0.29, 0.195, 0.035, "#4b3326")
    band = surface(s, motif, palette, 0.62)
    s.place(band, 0.272, 0.4, 0.436)


def bookmarks(s: Sheet, motif: str, palette: str) -> None:
    for number in range(4):
        x, y = 0.16 + number * 0.175, 0.14 + (number % 2) * 0.05
        s.shadow(x + 0.008, y + 0.012, 0.135, 0.62, blur=0.012)
        s.place(surface(s, motif, palette, 4.5, width=160), x, y, 0.135, corner=0.008)
        s.disc(x + 0.0675, y + 0.03, 0.011, "#efe7d8")
        s.line([(x + 0.0675, y + 0.03), (x + 0.05, y - 0.05), (x + 0.08, y - 0.09)], s.inks[0], 0.005)


def cards(s: Sheet, motif: str, palette: str) -> None:
    s.shadow(0.2, 0.5, 0.62, 0.34)
    s.box(0.19, 0.48, 0.62, 0.36, "#d9b894")
    s.shape([(0.19, 0.48), (0.5, 0.7), (0.81, 0.48)], "#c7a27b")
    s.shadow(0.255, 0.17, 0.5, 0.4)
    s.place(surface(s, motif, palette, 0.8), 0.25, 0.16, 0.5)


def tags(s: Sheet, motif: str, palette: str) -> None:
    for number in range(6):
        x, y = 0.13 + (number % 3) * 0.26, 0.16 + (number // 3) * 0.37
        s.shadow(x + 0.008, y + 0.012, 0.19, 0.29, blur=0.012)
        s.place(surface(s, motif, palette, 1.5, width=200), x, y, 0.19, corner=0.02)
        s.disc(x + 0.095, y + 0.035, 0.014, "#efe7d8")
        s.arc(x + 0.095, y, 0.04, 180, 360, s.inks[0], 0.004)


def towel(s: Sheet, motif: str, palette: str) -> None:
    s.line([(0.1, 0.14), (0.9, 0.14)], "#6d4c35", 0.022)
    s.shadow(0.29, 0.17, 0.45, 0.68)
    s.place(surface(s, motif, palette, 1.5), 0.28, 0.13, 0.45)
    for thread in range(45):
        x = 0.283 + thread * 0.01
        s.line([(x, 0.805), (x, 0.825)], "#f3ecdd", 0.002)


def coasters(s: Sheet, motif: str, palette: str) -> None:
    for x, y in ((0.3, 0.32), (0.68, 0.36), (0.34, 0.7), (0.71, 0.72)):
        s.shadow(x - 0.11, y - 0.06, 0.25, 0.24, blur=0.03, depth=110)
        s.disc(x, y, 0.17, "#cdb596")
        s.place(surface(s, motif, palette, 1, width=240), x - 0.155, y - 0.155, 0.31, corner=0.155)


def folded_sheet(s: Sheet, motif: str, palette: str) -> None:
    s.shadow(0.13, 0.2, 0.76, 0.6)
    sheet = surface(s, motif, palette, 1.3)
    s.place(sheet, 0.12, 0.18, 0.25)
    s.place(surface(s, "letter", palette, 1.3), 0.37, 0.18, 0.25)
    s.place(surface(s, motif, palette, 1.3), 0.62, 0.18, 0.25)
    s.box(0.12, 0.505, 0.75, 0.29, "#fbf8f0")
    for row in range(9):
        s.line([(0.15, 0.54 + row * 0.027), (0.84 - 0.1 * (row % 3), 0.54 + row * 0.027)], "#8d857a", 0.004)
    for fold in (0.37, 0.62):
        s.line([(fold, 0.18), (fold, 0.795)], "#d7cebd", 0.003)


def swatches(s: Sheet, motif: str, palette: str) -> None:
    tints = [*s.inks, "#f2ead8", "#e8e4dc", "#d3c3a3", "#b8c0b4"]
    for number, tint in enumerate(reversed(tints)):
        angle = math.radians(-58 + number * 15)
        x, y = 0.5, 0.8
        dx, dy = math.sin(angle) * 0.55, -math.cos(angle) * 0.55
        nx, ny = math.cos(angle) * 0.07, math.sin(angle) * 0.07
        corners = [(x - nx, y - ny), (x + dx - nx, y + dy - ny), (x + dx + nx, y + dy + ny), (x + nx, y + ny)]
        s.shape([(px + 0.008, py + 0.01) for px, py in corners], "#cbbfa9")
        s.shape(corners, tint)
    s.disc(0.5, 0.78, 0.022, "#b9975b")
    s.disc(0.5, 0.78, 0.01, "#8a6d3b")


def folder(s: Sheet, motif: str, palette: str) -> None:
    s.shadow(0.2, 0.5, 0.62, 0.1, blur=0.03)
    s.shape([(0.14, 0.52), (0.2, 0.46), (0.78, 0.44), (0.88, 0.49), (0.78, 0.55), (0.2, 0.57)], "#efe3c6")
    s.line([(0.2, 0.49), (0.78, 0.47)], "#fbf4e0", 0.012)
    s.line([(0.2, 0.555), (0.78, 0.54)], "#cfbf9a", 0.006)
    s.shape([(0.2, 0.68), (0.86, 0.66), (0.86, 0.7), (0.2, 0.72)], "#8a5a3b")
    s.shape([(0.86, 0.66), (0.93, 0.683), (0.86, 0.7)], "#c9ccd0")


def download(s: Sheet, motif: str, palette: str) -> None:
    s.shadow(0.23, 0.17, 0.56, 0.52)
    s.box(0.2, 0.14, 0.6, 0.46, "#2f3437", corner=0.02)
    s.box(0.22, 0.16, 0.56, 0.4, "#f7f3ea")
    s.place(surface(s, motif, palette, 0.7), 0.24, 0.18, 0.52)
    s.shape([(0.13, 0.64), (0.87, 0.64), (0.92, 0.71), (0.08, 0.71)], "#c3c6c8")
    s.box(0.08, 0.71, 0.84, 0.02, "#9b9fa1", corner=0.01)


FORMS: dict[str, Form] = {
    form.__name__: form
    for form in (
        notebook, notebook_set, framed_print, loose_print, mug, bookmarks, cards, tags, towel, coasters, folded_sheet,
        swatches, folder, download,
    )
}  # fmt: skip


def draw(form: str, motif: str, palette: str, seed: int) -> bytes:
    """Return the product's photograph as JPEG."""
    s = Sheet(RATIO, palette, seed)
    s.wash("#f1e9dc", "#e6dbc9")
    FORMS[form](s, motif, palette)
    return s.finish(grain=3)
