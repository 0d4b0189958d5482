"""Money changes hands at the local Stripe: by guests, by members, at once or at the second try."""

import io
from collections.abc import Callable

from pypdf import PdfReader

from . import buying
from .patience import eventually
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


def test_a_member_finds_the_order_among_their_own_and_nobody_elses(staff: Staff, member: People):
    bowl = buying.put_on_shelf(staff, "Tea bowl")
    dave, erin = member("dave"), member("erin")

    buying.buys(dave, bowl)
    number = buying.order_number(dave)

    dave.opens("/orders/")
    dave.clicks(f"#{number}")
    dave.sees("Tea bowl")
    erin.opens("/orders/")
    erin.sees("You have not ordered anything yet.")


def test_a_coupon_lowers_what_is_paid_once(staff: Staff, newcomer: People):
    print_ = buying.put_on_shelf(staff, "Small print", "40.00")
    staff.adds("cart/coupon", {"Code": "SPRING", "Percent off": "25"})
    frank = newcomer("frank")

    buying.put_in_cart(frank, print_)
    frank.presses("Apply", {"Coupon": "spring"})
    frank.sees("Coupon SPRING", "30.00")
    buying.orders(frank)
    frank.sees("30.00")
    buying.pays(frank)
    buying.is_thanked(frank)
    frank.sees("30.00")

    buying.put_in_cart(frank, print_)
    frank.presses("Apply", {"Coupon": "SPRING"})
    buying.orders(frank)
    frank.misses("To pay")
    frank.sees("You have used the code SPRING already.")


def test_a_declined_card_is_followed_by_another_and_one_payment(staff: Staff, newcomer: People):
    vase = buying.put_on_shelf(staff, "Vase", "30.00", stock="2")
    gina = newcomer("gina")
    buying.put_in_cart(gina, vase)
    buying.orders(gina)

    buying.pays(gina, buying.DECLINED_CARD)
    gina.sees("Your card was declined.")
    assert gina.site.rows("SELECT count(*) FROM orders_order WHERE email = ? AND status = 'paid'", gina.email) == [(0,)]
    buying.pays(gina)
    buying.is_thanked(gina)

    number = buying.order_number(gina)
    assert gina.site.rows("SELECT count(*) FROM payment_payment WHERE order_id = ?", number) == [(1,)]
    assert buying.stock_of(gina, vase) == 1


def test_a_bank_that_asks_who_pays_is_answered_no_and_then_yes(staff: Staff, newcomer: People):
    jug = buying.put_on_shelf(staff, "Jug", "22.00")
    hugo = newcomer("hugo")
    buying.put_in_cart(hugo, jug)
    buying.orders(hugo)

    buying.pays(hugo, buying.CARD_THAT_ASKS)
    hugo.sees("3-D Secure")
    hugo.presses("Fail: it is not me")
    hugo.sees("unable to authenticate")
    buying.pays(hugo, buying.CARD_THAT_ASKS)
    hugo.presses("Complete: it is me")

    buying.is_thanked(hugo)


def test_an_order_left_at_the_pay_page_is_paid_from_the_mail_later(staff: Staff, newcomer: People):
    plate = buying.put_on_shelf(staff, "Plate", "18.00", stock="1")
    iris = newcomer("iris")
    buying.put_in_cart(iris, plate)
    buying.orders(iris)

    iris.clicks("Back to the shop")
    iris.sees("You have not paid, and nothing was charged")
    newcomer("too-late").opens(plate)
    iris.follows_link_in(iris.gets_mail("Your order #"), "/orders/")
    iris.clicks("Pay ")
    iris.presses("Pay ")
    buying.pays(iris)
    buying.is_thanked(iris)

    assert iris.site.rows("SELECT count(*) FROM orders_order WHERE email = ?", iris.email) == [(1,)]


def test_an_empty_cart_leads_to_the_order_that_waits(staff: Staff, newcomer: People, member: People):
    tray = buying.put_on_shelf(staff, "Tray", "35.00")
    ines, oskar = newcomer("ines"), member("oskar")
    for buyer in (ines, oskar):
        buying.put_in_cart(buyer, tray)
        buying.orders(buyer)
    oskar_elsewhere = newcomer("oskar")
    oskar_elsewhere.logs_in()

    for buyer in (ines, oskar, oskar_elsewhere):
        buyer.opens("/cart/")
        buyer.sees("Your cart is empty.", "over €35.00 waits to be paid")
    stranger = newcomer("charlie-at-the-cart")
    stranger.opens("/cart/")
    stranger.misses("waits to be paid")

    ines.clicks("Pay or change it")
    ines.presses("Pay ")
    buying.pays(ines)
    buying.is_thanked(ines)
    ines.opens("/cart/")
    ines.misses("waits to be paid")


def test_an_order_undone_before_it_is_paid_comes_back_as_a_cart_and_frees_the_shelf(staff: Staff, newcomer: People):
    lamp = buying.put_on_shelf(staff, "Lamp", "90.00", stock="1")
    jonas = newcomer("jonas")
    buying.put_in_cart(jonas, lamp)
    buying.orders(jonas)
    assert buying.stock_of(jonas, lamp) == 0

    jonas.clicks("Back to the shop")
    jonas.presses("Change the order")

    jonas.sees("is undone", "Lamp")
    assert buying.stock_of(jonas, lamp) == 1
    jonas.follows_link_in(jonas.gets_mail("Your order #"), "/orders/")
    jonas.sees("You undid this order before it was paid. Nothing is owed.", "Undone by you")
    jonas.misses("in time", "expired")


def test_an_order_that_staff_cancel_says_so(staff: Staff, newcomer: People):
    stool = buying.put_on_shelf(staff, "Stool", "70.00", stock="1")
    jule = newcomer("jule")
    buying.put_in_cart(jule, stool)
    buying.orders(jule)
    letter = jule.gets_mail("Your order #")

    staff.opens(f"/admin/orders/order/?q={jule.email}")
    staff.presses(
        "Run the selected action", {"Action": "Cancel unpaid orders", "Select this object for an action": True}
    )
    staff.sees("1 order is cancelled.")

    eventually(lambda: "Cancelled by us" in jule.follows_link_in(letter, "/orders/").text)
    jule.sees("We cancelled this order before it was paid. Nothing is owed.")
    jule.misses("in time", "expired")


def test_a_bank_debit_arrives_later_and_another_bank_refuses(staff: Staff, newcomer: People):
    chair = buying.put_on_shelf(staff, "Chair", "120.00", stock="5")
    klara, leo = newcomer("klara"), newcomer("leo")

    for buyer, method in ((klara, "Bank debit, pay later"), (leo, "Bank debit that the bank refuses")):
        buying.put_in_cart(buyer, chair)
        buying.orders(buyer)
        buyer.presses("Pay", {method: True})

    klara.gets_mail("Invoice")
    assert "Nothing was charged" in leo.gets_mail("did not arrive").text
    assert buying.stock_of(klara, chair) == 4


def test_a_download_is_there_for_who_paid_and_for_nobody_else(staff: Staff, newcomer: People):
    guide = buying.put_on_shelf(
        staff,
        "Guide to folding",
        "5.00",
        stock="",
        Digital=True,
        **{"File to download": ("folding.txt", b"fold twice", "text/plain")},
    )
    mia, charlie = newcomer("mia"), newcomer("charlie-with-the-link")

    buying.put_in_cart(mia, guide)
    buying.orders(mia)
    mia.clicks("Back to the shop")
    mia.clicks("See the order")
    unpaid = mia.page.url
    mia.misses("Downloads")
    mia.clicks("Pay ")
    mia.presses("Pay ")
    buying.pays(mia)
    buying.is_thanked(mia)

    address = mia.page.link("Guide to folding", near="Guide to folding")
    address = next(link for link in mia.page.links() if "/download/" in link)
    assert mia.looks_at(address).content == b"fold twice"
    assert mia.page.url == unpaid
    charlie.is_refused([address.replace(address.split("/")[4], "another-token")])


def test_a_cheaper_price_meanwhile_is_said_before_anything_is_charged(staff: Staff, newcomer: People):
    book = buying.put_on_shelf(staff, "Guest book", "20.00")
    nils = newcomer("nils")
    buying.put_in_cart(nils, book)
    nils.clicks("To checkout")
    staff.opens(f"/admin/shop/product/{book.split('/')[2]}/change/")
    staff.presses("Save", {"Price": "25.00"})

    nils.presses("Order and pay", {**buying.ADDRESS, "E-mail": nils.email})

    nils.misses("To pay")
    nils.sees("25.00")
    assert nils.site.rows("SELECT count(*) FROM orders_order WHERE email = ?", nils.email) == [(0,)]


def test_who_asked_is_told_once_when_a_thing_is_back(staff: Staff, newcomer: People):
    mug = buying.put_on_shelf(staff, "Fish mug", "18.00", stock="0")
    olga = newcomer("olga")
    olga.opens(mug)
    olga.presses("Tell me", {"Your e-mail address": olga.email})
    olga.follows_link_in(olga.gets_mail("Shall we tell you when Fish mug is back?"), "/shop/alerts/")
    olga.presses("Yes, tell me")

    staff.opens(f"/admin/shop/product/{mug.split('/')[2]}/change/")
    staff.presses("Save", {"Stock": "4"})

    olga.follows_link_in(olga.gets_mail("Fish mug is back"), "/shop/")
    olga.presses("Add to cart")
    olga.sees("in your cart")
