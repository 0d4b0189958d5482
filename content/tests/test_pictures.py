import threading
import tracemalloc
from contextlib import nullcontext, suppress
from io import BytesIO
from unittest import mock

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.template import Context, Template
from PIL import Image

from content import pictures, pixels
from content.pictures import PictureRefused, read_picture, store_picture, thumbnail_name, thumbnail_size
from content.templatetags.pictures import media_url

from .colour_profiles import ADOBE_RGB, DISPLAY_P3, SRGB_CURVE, gamma, profile
from .picture_files import icc_bomb_png, picture_bytes, png_header, png_of_pixels, text_bomb_png


def reopened(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("size", [(64, 48), (1, 1)])
def test_four_formats_are_taken_and_encoded_anew(kind, size):
    picture = read_picture(picture_bytes(kind, size))

    assert (picture.width, picture.height) == size
    assert reopened(picture.content).size == size


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("JPEG", "CMYK"), ("PNG", "I;16"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "1"), ("PNG", "LA"), ("JPEG", "L")],
)
def test_unusual_colours_become_rgb_or_rgba(kind, mode):
    assert reopened(read_picture(picture_bytes(kind, mode=mode)).content).mode in ("RGB", "RGBA")


def test_sixteen_bit_grey_is_scaled_not_clipped():
    out = BytesIO()
    Image.new("I;16", (4, 4), 32768).save(out, "PNG")

    assert read_picture(out.getvalue()).image.getpixel((0, 0)) == (128, 128, 128)


def test_progressive_jpeg_is_taken():
    assert read_picture(picture_bytes("JPEG", progressive=True)).format == "JPEG"


def test_orientation_is_applied_and_all_metadata_gone():
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0)}
    source = picture_bytes("JPEG", (64, 48), exif=exif, comment=b"secret place", icc_profile=b"x" * 200)

    picture = read_picture(source)

    image = reopened(picture.content)
    assert image.size == (48, 64)
    assert not image.getexif()
    assert not {"exif", "comment", "icc_profile", "xmp"} & set(image.info)
    assert b"secret place" not in picture.content


P3 = profile(DISPLAY_P3, SRGB_CURVE)
ADOBE = profile(ADOBE_RGB, gamma(2.2))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("icc", "stored", "looks_like"),
    [
        (P3, (234, 51, 35), (255, 0, 0)),  # what a phone writes for the red of sRGB
        (P3, (128, 128, 128), (128, 128, 128)),
        (ADOBE, (219, 0, 0), (255, 0, 0)),
        (ADOBE, (255, 255, 255), (255, 255, 255)),
    ],
)
def test_colours_look_the_same_without_the_profile(kind, icc, stored, looks_like):
    data = one_colour(stored, kind, icc_profile=icc, quality=98, **({"subsampling": 0} if kind == "JPEG" else {}))

    kept = reopened(read_picture(data).content)

    assert "icc_profile" not in kept.info
    pixel = kept.convert("RGB").getpixel((10, 10))
    assert all(abs(one - other) <= 4 for one, other in zip(pixel, looks_like, strict=True)), pixel


def test_colours_of_transparent_palette_and_grey_pictures_are_translated_too():
    red = Image.new("RGB", (20, 20), (234, 51, 35))
    seen_through = red.convert("RGBA")
    seen_through.putalpha(100)
    for image in (seen_through, red.quantize(4)):
        picture = read_picture(saved(image, "PNG", icc_profile=P3)).image
        assert picture.convert("RGB").getpixel((5, 5))[0] >= 250
    assert read_picture(saved(seen_through, "PNG", icc_profile=P3)).image.getpixel((5, 5))[3] == 100
    # A profile for other channels than the picture has says nothing about it.
    grey = read_picture(saved(Image.new("L", (20, 20), 90), "PNG", icc_profile=P3)).image
    assert grey.convert("RGB").getpixel((5, 5)) == (90, 90, 90)


@pytest.mark.parametrize("damaged", [b"x" * 200, P3[:150], P3[:128] + b"\xff" * 300, P3 + bytes(4_000_000)])
def test_damaged_profile_leaves_the_pixels_as_they_are(damaged):
    picture = read_picture(one_colour((234, 51, 35), "WEBP", lossless=True, icc_profile=damaged))

    assert picture.image.getpixel((5, 5)) == (234, 51, 35)


def one_colour(colour: tuple[int, int, int], kind: str, **options) -> bytes:
    return saved(Image.new("RGB", (20, 20), colour), kind, **options)


def saved(image: Image.Image, kind: str, **options) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def test_other_metadata_is_the_same_picture():
    plain = picture_bytes("PNG", (9, 9), mode="P")
    noisy = picture_bytes("PNG", (9, 9), mode="P", dpi=(72, 72), compress_level=1)
    assert read_picture(plain).digest == read_picture(noisy).digest


def test_long_animation_keeps_its_first_frame_only():
    frames = [Image.new("RGB", (8, 8), (n % 256, n // 2, 7)) for n in range(501)]
    out = BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])

    assert getattr(reopened(read_picture(out.getvalue()).content), "n_frames", 1) == 1


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    """Return a PNG whose pixels' checksum is wrong."""
    at = data.index(b"IDAT") + 12
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


HOSTILE = {
    "100 megapixels": png_header(10_000, 10_000),
    "196 megapixels": png_header(14_000, 14_000),
    "2.5 gigapixels": png_header(50_000, 50_000),
    "largest header": png_header(2**31 - 1, 2**31 - 1),
    "a million wide": png_header(1_000_000, 1),
    "no size": png_header(0, 0),
    "half a JPEG": half(picture_bytes("JPEG", (400, 400))),
    "twenty bytes of JPEG": picture_bytes("JPEG")[:20],
    "half a PNG": half(picture_bytes("PNG", (400, 400))),
    "wrong checksum": flipped(picture_bytes("PNG", (200, 200))),
    "empty": b"",
    "one byte": b"\xff",
    "zeros": b"\0" * 5000,
    "too many bytes": picture_bytes("PNG") + b"\0" * pictures.MAX_BYTES,
    "HTML": b"<!doctype html><script>alert(1)</script>",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3",
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "program": b"MZ" + b"\0" * 200,
    "ZIP": b"PK\x03\x04" + b"\0" * 200,
    "script that says GIF": b"GIF89a=1;alert(1)//",
    **{kind: picture_bytes(kind) for kind in ("BMP", "TIFF", "ICO", "TGA", "PPM")},
    "compressed text bomb": text_bomb_png(),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_picture_for_us_is_refused(name):
    with pytest.raises(PictureRefused):
        read_picture(HOSTILE[name])


def test_half_a_picture_is_refused_even_after_weasyprint_was_imported():
    import weasyprint  # noqa: F401

    with pytest.raises(PictureRefused):
        read_picture(HOSTILE["half a JPEG"])


def test_profile_bomb_never_grows_in_memory():
    try:
        picture = read_picture(icc_bomb_png())
    except PictureRefused:
        return
    assert len(picture.content) < 1000


def test_81_megapixels_in_a_small_file_are_refused_before_they_are_decoded():  # D22
    data = png_of_pixels(9_000, 9_000)
    assert len(data) < 300_000

    tracemalloc.start()
    assert pixels.work(data) == b""
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 50 * 2**20


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
def test_formats_that_unfold_to_anything_may_have_fewer_pixels(kind):
    out = BytesIO()
    Image.new("L" if kind == "GIF" else "RGB", (5000, 4100)).save(out, kind)

    with mock.patch.object(pixels, "_plain") as decoded:
        assert pixels.work(out.getvalue()) == b""

    assert not decoded.called


def most_at_once():
    """Return how many of two pictures met another that was being worked on."""
    together = threading.Barrier(2)
    met = []

    def decode(data):
        with suppress(threading.BrokenBarrierError):
            together.wait(0.5)
            met.append(data)

    with mock.patch.object(pictures, "_decoded", decode):
        threads = [threading.Thread(target=read_picture, args=(b"x",)) for _number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return len(met)


def test_a_process_works_on_one_picture_at_a_time():
    assert most_at_once() == 0


def test_without_the_guard_two_would_be_worked_on_together():
    with mock.patch.object(pictures, "_one_at_a_time", nullcontext()):
        assert most_at_once() == 2


@pytest.mark.parametrize(
    "source",
    [
        picture_bytes("JPEG") + b"<script>alert(1)</script>",
        picture_bytes("GIF") + b"<?php evil(); ?>",
        picture_bytes("JPEG") + b"PK\x03\x04evil.zip",
    ],
)
def test_what_follows_the_pixels_is_cut_off(source):  # D23
    content = read_picture(source).content

    assert not any(tail in content for tail in (b"<script", b"<?php", b"PK\x03\x04"))


def test_large_picture_is_kept_at_screen_size():
    picture = read_picture(picture_bytes("JPEG", (5000, 2500)))

    assert (picture.width, picture.height) == (4096, 2048)


def test_picture_is_stored_under_a_random_name_with_its_thumbnails():  # D40
    stored = store_picture(ContentFile(picture_bytes("JPEG", (900, 600)), name="../../a.php.jpg"), "somewhere")

    assert stored.name.startswith("somewhere/")
    assert "php" not in stored.name
    assert stored.name.endswith(".jpg")
    for path in pictures.files_of(stored.name):
        assert default_storage.exists(path)


@pytest.mark.django_db(transaction=True)
def test_discarded_picture_leaves_no_file_behind():
    stored = store_picture(picture_bytes(), "somewhere")

    pictures.discard(stored.name)

    assert not any(default_storage.exists(path) for path in pictures.files_of(stored.name))


@pytest.mark.parametrize(
    "size", [(1, 1), (64, 48), (400, 400), (401, 399), (1000, 30), (30, 1000), (1201, 1799), (3999, 2001), (12000, 1)]
)
def test_size_written_in_pages_is_the_size_of_the_file(size):
    stored = store_picture(picture_bytes("PNG", size, mode="1"), "somewhere")

    for alias in pictures.aliases():
        with default_storage.open(thumbnail_name(stored.name, alias)) as file:
            assert Image.open(file).size == thumbnail_size(stored.width, stored.height, alias)


@pytest.mark.parametrize(
    ("size", "spot", "seen_at"),
    [
        ((1200, 600), (0, 250), (0, 1)),  # left, right, top and bottom: where it is, the thumbnail is
        ((1200, 600), (1100, 250), (2, 1)),
        ((1200, 600), (550, 250), (1, 1)),
        ((600, 1200), (250, 0), (1, 0)),
        ((600, 1200), (250, 1100), (1, 2)),
        ((600, 500), (450, 0), (2, 0)),
    ],
)
def test_a_square_thumbnail_shows_the_part_where_there_is_something_to_see(size, spot, seen_at):
    image = Image.new("RGB", size, "white")
    image.paste(Image.effect_noise((100, 100), 90).convert("RGB"), spot)
    stored = store_picture(png_bytes(image), "somewhere")

    with default_storage.open(thumbnail_name(stored.name, "tile")) as file:
        tile = Image.open(file).convert("L")
    parts = {(x, y): tile.crop((x * 133, y * 133, x * 133 + 133, y * 133 + 133)) for x in range(3) for y in range(3)}
    assert max(parts, key=lambda place: parts[place].entropy()) == seen_at


def png_bytes(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def render(source: str, **context) -> str:
    return Template("{% load pictures %}" + source).render(Context(context))


def test_tag_writes_size_choice_and_escaped_alternative_text():
    html = render('{% picture name "tile" width=900 height=600 alt=alt %}', name="a/b.jpg", alt='"><script>')

    assert 'src="/media/a/b.tile.webp"' in html
    assert "/media/a/b.tile.webp 400w" in html
    assert "/media/a/b.tile_2x.webp 600w" not in html
    assert 'width="400" height="400"' in html
    assert 'alt="&quot;&gt;&lt;script&gt;"' in html
    assert "style" not in html


def test_tag_shows_nothing_without_a_file():
    assert render('{% picture name "tile" %}', name="") == ""


@pytest.mark.parametrize("name", ["images/ab/ab12.tile.webp", "a b.jpg", "ä/ü.jpg", "a?b#c.png", "50%.gif", "/x.png"])
def test_an_address_is_what_the_storage_says(name):
    assert media_url(name) == default_storage.url(name)
