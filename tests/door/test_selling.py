"""What staff do with an order: send it, give money back, answer disputes and withdrawals, keep the papers."""

import csv
from collections.abc import Callable

from . import buying
from .pages import Answer
from .person import Person
from .site import SHOP_EMAIL, STAFF_EMAIL
from .staff import Staff
from .test_buying import words_of

People = Callable[[str], Person]


def refunds(staff: Staff, number: int, reason: str, **what: Answer) -> None:
    """Give back an amount, or things of the order by their names."""
    staff.opens(f"/payment/refund/{number}/")
    staff.presses("Continue", {"Reason": reason, **what})
    staff.presses("Yes, refund")
    staff.sees("go back.")


def payment_of(staff: Staff, number: int) -> str:
    return str(staff.site.rows("SELECT payment_intent FROM payment_payment WHERE order_id = ?", number)[0][0])


def test_a_parcel_is_sent_and_the_buyer_can_follow_it(staff: Staff, newcomer: People):
    box = buying.put_on_shelf(staff, "Box", "10.00")
    adam = newcomer("adam")
    buying.buys(adam, box)
    number, address = buying.order_number(adam), adam.page.url

    staff.opens("/admin/orders/order/")
    staff.clicks(f"#{number}")
    staff.clicks("Send, note")
    staff.presses("Mark as sent and tell the buyer", {"Tracking": "https://parcels.example/4711"})
    staff.sees("Marked as sent")
    staff.presses("Note it", {"Note": "Packed in straw."})
    staff.sees("Packed in straw.")

    letter = adam.gets_mail("is on its way")
    assert "https://parcels.example/4711" in letter.text
    adam.opens(address)
    adam.sees("Follow the parcel")
    adam.misses("Packed in straw.")


def test_a_part_and_then_the_rest_goes_back_with_a_credit_note_each(staff: Staff, newcomer: People):
    clock = buying.put_on_shelf(staff, "Clock", "50.00", stock="3")
    bea = newcomer("bea")
    buying.buys(bea, clock)
    number, address = buying.order_number(bea), bea.page.url

    refunds(staff, number, "A scratch", Amount="10.00")
    first = bea.gets_mail("Money back for your order")
    (note,) = first.attachments().values()
    assert "A scratch" in words_of(note)
    buying.status_becomes(bea, number, "partially_refunded")
    refunds(staff, number, "Sent back", **{"Amount": "40.00", "Put the goods back on the shelf": True})
    bea.gets_mail("Money back for your order")
    buying.status_becomes(bea, number, "refunded")

    staff.opens(f"/payment/refund/{number}/")
    staff.sees("There is nothing left to refund.")
    bea.opens(address)
    bea.sees("refunded")
    assert buying.stock_of(bea, clock) == 3


def test_one_of_two_pieces_goes_back_onto_the_shelf(staff: Staff, newcomer: People):
    brush = buying.put_on_shelf(staff, "Brush", "6.00", stock="5")
    bert = newcomer("bert")
    buying.buys(bert, brush, quantity=2)
    number = buying.order_number(bert)

    refunds(staff, number, "One has no hair", **{"Brush": "1", "Put the goods back on the shelf": True})

    assert "€6.00" in bert.gets_mail("Money back for your order").text
    buying.status_becomes(bert, number, "partially_refunded")
    assert buying.stock_of(bert, brush) == 4


def test_a_refund_that_the_bank_returns_is_paid_in_another_way(staff: Staff, newcomer: People):
    bell = buying.put_on_shelf(staff, "Bell", "15.00")
    cleo = newcomer("cleo")
    buying.buys(cleo, bell)
    number = buying.order_number(cleo)
    refunds(staff, number, "It does not ring", Amount="15.00")
    cleo.gets_mail("Money back for your order")
    (refund,) = [
        one["id"] for one in staff.site.stripe_books()["refunds"] if one["payment_intent"] == payment_of(staff, number)
    ]

    staff.site.stripe("return_refund", refund=refund)
    cleo.gets_mail("Your bank returned our refund")
    staff.gets_mail(f"Order #{number}: a payment needs you")
    staff.opens(f"/payment/refund/{number}/")
    staff.presses("It is paid", {"How and when": "By bank transfer today"})

    staff.sees("the buyer has been told")
    assert "By bank transfer today" in cleo.gets_mail("Money back for your order").text


def test_a_dispute_is_told_to_the_staff_and_again_when_it_is_lost(staff: Staff, newcomer: People):
    rug = buying.put_on_shelf(staff, "Rug", "70.00")
    dirk = newcomer("dirk")
    buying.buys(dirk, rug)
    number = buying.order_number(dirk)

    dispute = staff.site.stripe("dispute", payment_intent=payment_of(staff, number))
    letter = staff.gets_mail(f"Order #{number}: a payment needs you")
    assert "The buyer disputes €70.00" in letter.text
    staff.follows_link_in(letter, "/admin/payment/problem/")
    staff.sees(f"#{number}")

    staff.site.stripe("close_dispute", dispute=dispute["id"], won=False)
    assert "the money is gone" in staff.gets_mail(f"Order #{number}: a payment needs you").text
    buying.status_becomes(dirk, number, "charged_back")


def test_a_buyer_withdraws_and_gets_a_receipt_at_once(staff: Staff, newcomer: People):
    pen = buying.put_on_shelf(staff, "Pen", "9.00")
    edda = newcomer("edda")
    buying.buys(edda, pen)
    number = buying.order_number(edda)

    edda.clicks("Withdraw from this purchase")
    edda.presses("Withdraw from the contract", {"Which things": "All of it."})
    edda.sees("Is this right?", "All of it.")
    edda.presses("Confirm the withdrawal")

    edda.sees("We have your withdrawal")
    assert "All of it." in edda.gets_mail("We have received your withdrawal").text
    notice = staff.gets_mail(f"Withdrawal for order #{number}")
    staff.follows_link_in(notice, "/admin/orders/withdrawal/")
    staff.sees("Edda" if "Edda" in staff.page.text else "Carol Example")


def test_staff_take_the_papers_of_an_order_and_send_its_mails_again(staff: Staff, newcomer: People):
    cup = buying.put_on_shelf(staff, "Cup", "11.00")
    finn = newcomer("finn")
    buying.buys(finn, cup)
    number = buying.order_number(finn)
    finn.gets_mail(f"Your order #{number}")
    finn.gets_mail("Invoice")

    staff.opens(f"/orders/admin/order/{number}/")
    staff.sees("Cup", "Carol Example")
    pdf = staff.looks_at(f"/orders/admin/order/{number}/pdf/")
    assert "Cup" in words_of(pdf.content)

    for action, subject in (("Send the confirmation again", "Your order #"), ("Send the invoice again", "Invoice")):
        acts_on(staff, number, action)
        staff.sees("1 mail is on its way.")
        finn.gets_mail(subject)

    acts_on(staff, number, "Export as CSV, a row for each order")
    (row,) = csv.DictReader(staff.page.answer.content.decode("utf-8-sig").splitlines())
    assert finn.email in row.values()


def acts_on(staff: Staff, number: int, action: str) -> None:
    """Choose an action for one order in the admin's list."""
    staff.opens(f"/admin/orders/order/?q=%23{number}")
    staff.presses("Run the selected action", {"Action": action, "Select this object for an action": True})


def test_the_mails_come_from_the_shop_and_the_staffs_go_to_the_staff(staff: Staff, newcomer: People):
    fan = buying.put_on_shelf(staff, "Fan", "8.00")
    gerd = newcomer("gerd")
    buying.buys(gerd, fan)

    assert SHOP_EMAIL in gerd.gets_mail("Your order #").sender
    assert staff.email == STAFF_EMAIL


def test_a_stranger_gets_nothing_at_the_staffs_addresses(staff: Staff, newcomer: People, member: People):
    card = buying.put_on_shelf(staff, "Card", "3.00")
    heidi = newcomer("heidi")
    buying.buys(heidi, card)
    number = buying.order_number(heidi)
    addresses = [
        *(f"/orders/admin/order/{number}/", f"/orders/admin/order/{number}/handle/"),
        *(f"/orders/admin/order/{number}/pdf/", f"/payment/refund/{number}/", "/admin/orders/order/"),
        *(f"/admin/orders/order/{number}/change/", "/admin/shop/product/", "/admin/mail/outgoingmail/"),
    ]

    newcomer("charlie-by-night").is_refused(addresses)
    member("charlie-the-member").is_refused(addresses)
