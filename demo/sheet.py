"""A sheet of paper to draw on: unit coordinates, drawn at twice the size and scaled down, a little grain at the end."""

import random
from collections.abc import Sequence
from functools import cache
from io import BytesIO

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps

Point = tuple[float, float]
OVERSAMPLING = 2
# Found on most Linux machines; the letters fall back to the sans that Pillow itself carries.
SERIF_FILES = ["LiberationSerif-Bold.ttf", "DejaVuSerif-Bold.ttf", "Georgia.ttf"]

PALETTES: dict[str, list[str]] = {
    # paper, then four inks from dark to bright
    "kiln": ["#f6efe2", "#3a2a25", "#a8452b", "#d98e4a", "#e9c98f"],
    "harbour": ["#eef1ec", "#1f3a4d", "#3f7185", "#8fb3b0", "#e0a458"],
    "orchard": ["#f4f0e0", "#2f3b2a", "#6b7f3f", "#c2a83e", "#c9573c"],
    "dusk": ["#f3e6e3", "#352a45", "#74527a", "#c77b84", "#efb997"],
    "press": ["#f7f5ef", "#1d1d1b", "#c8102e", "#8b8680", "#e5dccb"],
    "moss": ["#e9ecdf", "#22322c", "#4d6b57", "#98a77a", "#dcc48e"],
    "noon": ["#fff7e3", "#24476b", "#2b8aa6", "#f2b84b", "#ea6a47"],
    "clay": ["#f1e4d7", "#4b2e2a", "#8c5a48", "#c99b7c", "#5f7a76"],
    "frost": ["#edf2f5", "#26324a", "#4f6d9a", "#9db8cf", "#d9a7a0"],
    "night": ["#1c2233", "#f0e7d2", "#d7a94b", "#6f86a8", "#39456b"],
    "plum": ["#f5eee8", "#3c1f33", "#8a2f52", "#d4768b", "#e6c3a5"],
    "slate": ["#f0eeea", "#2e3436", "#5c6b70", "#a3b0ae", "#d58936"],
}


@cache
def serif(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    for name in SERIF_FILES:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return sans(size)


@cache
def sans(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@cache
def _noise(grain: int) -> Image.Image:
    return Image.effect_noise((800, 900), grain)  # as large as the largest picture


class Sheet:
    """Width is 1.0, height is `ratio`; y grows downwards. `rng` makes a seed give the same picture again."""

    def __init__(self, ratio: float, palette: str, seed: int, *, width: int = 640) -> None:
        self.ratio = ratio
        self.width = width
        self.scale = width * OVERSAMPLING
        self.paper, *self.inks = PALETTES[palette]
        self.rng = random.Random(seed)  # noqa: S311 - pictures, not secrets
        self.image = Image.new("RGB", (self.scale, round(self.scale * ratio)), self.paper)
        self.pen = ImageDraw.Draw(self.image)

    def _px(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.scale, y * self.scale) for x, y in points]

    def disc(self, x: float, y: float, radius: float, ink: str, *, outline: float = 0) -> None:
        box = self._px([(x - radius, y - radius), (x + radius, y + radius)])
        if outline:
            self.pen.ellipse(box, outline=ink, width=max(1, round(outline * self.scale)))
        else:
            self.pen.ellipse(box, fill=ink)

    def oval(self, x: float, y: float, rx: float, ry: float, ink: str) -> None:
        self.pen.ellipse(self._px([(x - rx, y - ry), (x + rx, y + ry)]), fill=ink)

    def slice(self, x: float, y: float, radius: float, start: float, end: float, ink: str) -> None:
        self.pen.pieslice(self._px([(x - radius, y - radius), (x + radius, y + radius)]), start, end, fill=ink)

    def box(self, x: float, y: float, width: float, height: float, ink: str, *, corner: float = 0) -> None:
        box = self._px([(x, y), (x + width, y + height)])
        if corner:
            self.pen.rounded_rectangle(box, corner * self.scale, fill=ink)
        else:
            self.pen.rectangle(box, fill=ink)

    def frame(self, x: float, y: float, width: float, height: float, ink: str, line: float = 0.004) -> None:
        box = self._px([(x, y), (x + width, y + height)])
        self.pen.rectangle(box, outline=ink, width=max(1, round(line * self.scale)))

    def shape(self, points: Sequence[Point], ink: str) -> None:
        self.pen.polygon(self._px(points), fill=ink)

    def line(self, points: Sequence[Point], ink: str, width: float = 0.004) -> None:
        self.pen.line(self._px(points), fill=ink, width=max(1, round(width * self.scale)), joint="curve")

    def arc(self, x: float, y: float, radius: float, start: float, end: float, ink: str, width: float) -> None:
        box = self._px([(x - radius, y - radius), (x + radius, y + radius)])
        self.pen.arc(box, start, end, fill=ink, width=max(1, round(width * self.scale)))

    def text(
        self, x: float, y: float, text: str, size: float, ink: str, *, anchor: str = "mm", bold: bool = False
    ) -> None:
        font = (serif if bold else sans)(max(8, round(size * self.scale)))
        self.pen.text((x * self.scale, y * self.scale), text, font=font, fill=ink, anchor=anchor)

    def wash(self, top: str, bottom: str) -> None:
        """Fill the sheet with a gradient from `top` to `bottom`."""
        ramp = Image.linear_gradient("L").resize(self.image.size)
        self.image.paste(ImageOps.colorize(ramp, top, bottom))

    def shadow(self, x: float, y: float, width: float, height: float, *, blur: float = 0.02, depth: int = 90) -> None:
        """Darken a soft box; blurred at an eighth of the size, which nobody can see and is fifty times quicker."""
        small = (self.image.width // 8, self.image.height // 8)
        mask = Image.new("L", small)
        box = [value * self.scale / 8 for value in (x, y, x + width, y + height)]
        ImageDraw.Draw(mask).rounded_rectangle(box, 4, fill=depth)
        mask = mask.filter(ImageFilter.GaussianBlur(blur * self.scale / 8)).resize(self.image.size)
        self.image.paste("#2a2018", mask=mask)

    def place(self, other: "Sheet", x: float, y: float, width: float, *, corner: float = 0) -> None:
        """Lay another sheet on this one, `width` wide."""
        size = (round(width * self.scale), round(width * other.ratio * self.scale))
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).rounded_rectangle([0, 0, size[0] - 1, size[1] - 1], corner * self.scale, fill=255)
        self.image.paste(other.image.resize(size), (round(x * self.scale), round(y * self.scale)), mask)

    def finish(self, *, grain: int = 5) -> bytes:
        """Return the JPEG: scaled down, with the grain of uncoated paper."""
        small = self.image.resize((self.width, round(self.width * self.ratio)), Image.Resampling.BILINEAR)
        if grain:
            small = ImageChops.overlay(small, _noise(grain).crop((0, 0, *small.size)).convert("RGB"))
        file = BytesIO()
        small.save(file, "JPEG", quality=84)
        return file.getvalue()
