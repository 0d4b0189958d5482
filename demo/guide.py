"""The file behind the demo's digital product, so that whoever buys it has something to download."""

from django.core.files.base import ContentFile
from django.utils.html import escape
from django.utils.text import slugify

from .catalogue import Item

PAGES = {
    "The sheet": "Fold a sheet once and it has four pages, twice and it has eight, three times and it has sixteen.",
    "The order": "Number the pages of a folded dummy, open it again, and you hold the imposition of that sheet.",
    "The creep": "The inner sheets of a thick booklet stand out; set their pages a hair closer to the spine.",
    "The proof": "Print one, fold it, and read it to the end before you print two hundred.",
}


def guide(item: Item) -> "tuple[str, ContentFile[bytes]]":
    """Return the name and content of a small PDF with the product's name on its cover; a text where none can be drawn."""
    try:
        return f"{slugify(item.name)}.pdf", ContentFile(_pdf(item))
    except OSError:  # Pango is missing
        return f"{slugify(item.name)}.txt", ContentFile("\n\n".join([item.name, *PAGES.values()]).encode())


def _pdf(item: Item) -> bytes:
    from weasyprint import HTML  # half a second, and only a demo needs it

    pages = "".join(
        f"<section><h2>{escape(title)}</h2><p>{escape(text)}</p></section>" for title, text in PAGES.items()
    )
    style = "@page { size: A6; margin: 14mm } section { break-before: page } body { font: 10pt/1.5 serif }"
    head = f"<style>{style}</style><title>{escape(item.name)}</title>"
    document: bytes = HTML(
        string=f"{head}<h1>{escape(item.name)}</h1><p>{escape(item.description)}</p>{pages}"
    ).write_pdf()
    return document
