"""The shop from the buyer's side: a shelf that staff have filled, an address to send to, Stripe's page."""

import re
from itertools import count

from .pages import Answer, Page
from .patience import eventually
from .person import Person
from .staff import Staff

GOOD_CARD = "4242 4242 4242 4242"
DECLINED_CARD = "4000 0000 0000 0002"
CARD_THAT_ASKS = "4000 0025 0000 3155"
ADDRESS: dict[str, Answer] = {
    "First name": "Carol",
    "Last name": "Example",
    "Address": "7 Kiln Street",
    "Postal code": "10115",
    "City": "Berlin",
    "I agree to the terms": True,
}
numbers = count(1)


def put_on_shelf(staff: Staff, name: str, price: str = "12.50", stock: str = "20", **more: Answer) -> str:
    """Sell a new thing, under a category of its own; return the address of its page."""
    slug = f"{re.sub('[^a-z]+', '-', name.lower())}-{next(numbers)}"
    staff.adds("shop/category", {"Name": f"{name} and the like", "Slug": f"{slug}-category"})
    staff.opens("/admin/shop/product/add/")
    described: dict[str, Answer] = {"Name": name, "Slug": slug, "Category": f"{name} and the like", "Price": price}
    staff.presses("Save", {**described, "VAT rate": "19", "Stock": stock, "Description": "Made *here*.", **more})
    staff.sees("was added successfully")
    (number,) = staff.site.rows("SELECT id FROM shop_product WHERE slug = ?", slug)[0]
    return f"/shop/{number}/{slug}/"


def put_in_cart(buyer: Person, address: str, quantity: int = 1) -> Page:
    buyer.opens(address)
    buyer.presses("Add to cart", {"Quantity": str(quantity)})
    buyer.sees("in your cart")
    return buyer.opens("/cart/")


def orders(buyer: Person, **more: Answer) -> Page:
    """Go from the cart to Stripe's page."""
    buyer.opens("/cart/")
    buyer.clicks("To checkout")
    buyer.presses("Order and pay", {**ADDRESS, "E-mail": buyer.email, **more})
    return buyer.page


def pays(buyer: Person, card: str = GOOD_CARD) -> Page:
    """Type a card on Stripe's page; what comes next depends on the card."""
    buyer.sees("To pay")
    return buyer.presses("Pay", {"Card number": card})


def is_thanked(buyer: Person) -> None:
    """Wait on the page that Stripe leads back to until it says paid, and go on to the order."""
    back = buyer.page.url
    buyer.waits_to_see(back, "Thank you, your order is paid")
    buyer.clicks("See the order")


def buys(buyer: Person, address: str, quantity: int = 1, **more: Answer) -> Page:
    """Buy from the shelf to the page of the paid order."""
    put_in_cart(buyer, address, quantity)
    orders(buyer, **more)
    pays(buyer)
    is_thanked(buyer)
    return buyer.page


def order_number(buyer: Person) -> int:
    """Return the number of the order whose page is open."""
    found = re.search(r"#(\d+)", buyer.page.heading)
    assert found, f"no order's page: {buyer.page.heading}"
    return int(found[1])


def stock_of(buyer: Person, address: str) -> int:
    (stock,) = buyer.site.rows("SELECT stock FROM shop_product WHERE id = ?", int(address.split("/")[2]))[0]
    return int(str(stock))


def status_becomes(buyer: Person, number: int, status: str) -> None:
    eventually(lambda: buyer.site.rows("SELECT status FROM orders_order WHERE id = ?", number) == [(status,)])
