"""Money changes hands at the local Stripe: by guests, by members, at once or at the second try."""

import io
from collections.abc import Callable

from pypdf import PdfReader

from . import buying
from .person import Person
from .staff import Staff

People = Callable[[str], Person]


def words_of(pdf: bytes) -> str:
    return " ".join("".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def test_a_guest_buys_two_and_gets_thanks_mails_and_an_invoice(staff: Staff, newcomer: People):
    teapot = buying.put_on_shelf(staff, "Blue teapot", "48.00", stock="3")
    carol = newcomer("carol")

    buying.buys(carol, teapot, quantity=2)
    number = buying.order_number(carol)
    confirmation = carol.gets_mail(f"Your order #{number}")
    invoice = carol.gets_mail("Invoice")
    (pdf,) = invoice.attachments().values()

    assert "2 x Blue teapot" in confirmation.text
    assert "Blue teapot" in words_of(pdf)
    assert "Carol Example" in words_of(pdf)
    assert buying.stock_of(carol, teapot) == 1
    carol.follows_link_in(confirmation, "/orders/")
    carol.sees("Blue teapot", "7 Kiln Street")
    assert words_of(carol.looks_at(carol.page.link("Invoice")).content) == words_of(pdf)

    # Whoever knows no secret address learns nothing.
    newcomer("charlie").is_refused(["/orders/", f"/orders/{number}/", f"/orders/admin/order/{number}/"])
