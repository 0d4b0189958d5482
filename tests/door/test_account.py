"""From registering to leaving, as one person lives it."""

from collections.abc import Callable

from .person import Person

People = Callable[[str], Person]


def test_somebody_registers_proves_the_address_and_logs_in(newcomer: People):
    anna = newcomer("anna")

    anna.registers()
    anna.sees("check your mail")
    anna.follows_link_in(anna.gets_mail("Confirm your address"), "/account/prove/")
    anna.sees("Is anna@people.example the address of the member anna?")
    anna.presses("Yes, this is me")
    anna.sees("your e-mail address is confirmed")

    anna.logs_in()
    anna.sees("Hello, Anna")
    anna.presses("Log out")
    anna.sees("You are logged out.")
    anna.opens("/account/")
    assert "/account/login/" in anna.page.url
