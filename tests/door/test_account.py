"""From registering to leaving, as one person lives it."""

import io
import re
import zipfile
from collections.abc import Callable

from .person import Person
from .staff import Staff, code_of, turn_on_second_factor

People = Callable[[str], Person]


def test_somebody_registers_proves_the_address_and_logs_in(newcomer: People):
    anna = newcomer("anna")

    anna.registers()
    anna.sees("check your mail")
    anna.follows_link_in(anna.gets_mail("Confirm your address"), "/account/register/")
    anna.sees("Is anna@people.example your address")
    anna.presses("Yes, this is me")
    anna.sees("your e-mail address is confirmed")

    anna.logs_in()
    anna.sees("Hello, Anna")
    anna.presses("Log out")
    anna.sees("You are logged out.")
    anna.opens("/account/")
    assert "/account/login/" in anna.page.url


def test_a_lost_link_is_mailed_again_to_who_registers_again(newcomer: People):
    ben = newcomer("ben")
    ben.registers()
    ben.gets_mail("Confirm your address")
    ben.logs_in()
    ben.sees("If you have just registered, open the link in our mail first.")

    ben.registers()

    ben.proves_the_address()
    ben.logs_in()
    ben.sees("Hello, Ben")


def test_who_registers_twice_is_told_by_mail_and_nobody_else_is_told_at_all(member: People, newcomer: People):
    member("clara")
    again, stranger = newcomer("probe-one"), newcomer("probe-two")
    again.email = "clara@people.example"

    again.registers()
    stranger.registers()

    assert again.page.text == stranger.page.text
    assert "/account/password-reset/" in again.gets_mail("You already have an account").link("password-reset")


def test_nothing_on_the_site_tells_whether_an_address_is_known(member: People, newcomer: People):
    """A stranger registers with an address and looks for what has come of it."""
    member("carla")
    seen = []
    for name, address in (("probe-a", "carla@people.example"), ("probe-b", "carla-not@people.example")):
        probe = newcomer(name)
        probe.email = address
        probe.registers()
        answers = [probe.page]
        answers.append(probe.opens(f"/account/users/{name}/"))
        answers += [probe.opens(page) for page in ("/account/users/", f"/search/?q={name}", "/")]
        assert not any(f"@{name}" in page.text for page in answers)
        probe.email = name  # log in by the name
        answers.append(probe.logs_in())
        probe.email = f"{name}@elsewhere.example"
        answers.append(probe.registers().page)
        seen.append([(page.status, page.text.replace(name, "probe")) for page in answers])

    assert seen[0] == seen[1]


def test_two_who_want_one_name_get_two_names(newcomer: People):
    first, second = newcomer("tilda"), newcomer("tilda")
    second.email = "other-tilda@people.example"
    first.registers()
    second.registers()
    first.proves_the_address()

    second.proves_the_address()
    second.sees("already exists")
    second.presses("Yes, this is me", {"Username": "tilda-two"})

    for tilda, name in ((first, "tilda"), (second, "tilda-two")):
        tilda.logs_in()
        assert tilda.opens(f"/account/users/{name}/").status == 200


def test_a_forgotten_password_is_set_anew_and_the_old_one_is_dead(member: People):
    dora = member("dora")
    dora.presses("Log out")
    dora.opens("/account/login/")
    dora.clicks("Forgotten your password?")
    dora.presses("Send the link", {"E-mail address": dora.email})
    dora.sees("a link is on its way")

    letter = dora.gets_mail("Your link for a new password")
    dora.follows_link_in(letter, "/account/password-reset/")
    dora.presses(
        "Save the password", {"New password": "felt hammers at dusk", "The same once more": "felt hammers at dusk"}
    )
    dora.sees("Password saved")

    dora.logs_in()
    dora.sees("do not go together")
    dora.logs_in(password="felt hammers at dusk")
    dora.sees("Hello, Dora")
    dora.follows_link_in(letter, "/account/password-reset/")
    dora.sees("This link was used already")


def test_asking_for_a_new_password_tells_nobody_who_is_a_member(member: People, newcomer: People):
    emil, charlie = member("emil"), newcomer("charlie")

    answers = []
    for address in (emil.email, "never-seen@people.example"):
        charlie.opens("/account/password-reset/")
        charlie.presses("Send the link", {"E-mail address": address})
        answers.append((charlie.page.status, charlie.page.url, charlie.page.text))

    assert answers[0] == answers[1]
    emil.gets_mail("Your link for a new password")


def test_a_new_address_counts_once_its_owner_has_said_so(member: People):
    fritz = member("fritz")
    new = "fritz@new.example"
    fritz.opens("/account/email/")
    fritz.presses("Send the link", {"New e-mail address": new, "Your password": fritz.password})
    fritz.sees("Open the link that we have mailed to the new address")
    fritz.gets_mail("Your address is about to change")

    fritz.follows_link_in(fritz.gets_mail("Confirm your new address", at=new), "/account/email/")
    fritz.presses("Use this address from now on")

    fritz.sees("Your new e-mail address is in use.")
    fritz.presses("Log out")
    fritz.logs_in()
    fritz.sees("do not go together")
    fritz.email = new
    fritz.logs_in()
    fritz.sees("Hello, Fritz")


def test_of_an_address_that_staff_change_the_old_one_hears(member: People, staff: Staff):
    noemi = member("noemi")
    staff.opens("/admin/account/user/?q=noemi@people.example")
    staff.clicks("noemi")

    staff.presses("Save", {"E-mail address": "noemi@new.example"})

    staff.sees("was changed successfully")
    noemi.gets_mail("Your address was changed")
    noemi.gets_mail("Confirm your address", at="noemi@new.example")


def test_with_a_second_factor_a_password_alone_opens_nothing(member: People, newcomer: People):
    greta = member("greta")
    secret = turn_on_second_factor(greta)
    recovery = greta.page.soup.select("main code")[0].get_text(strip=True)

    thief = newcomer("thief-of-greta")
    thief.email = greta.email
    thief.logs_in()
    thief.sees("Your code")
    thief.opens("/account/edit/")
    assert "/account/code/" in thief.page.url
    wrong = "000000" if code_of(secret) != "000000" else "111111"
    thief.presses("Go on", {"Code": wrong})
    thief.sees("That code is not right")

    greta.presses("Log out")
    greta.logs_in()
    greta.presses("Go on", {"Code": recovery})
    greta.sees("Hello, Greta")
    greta.presses("Log out")
    greta.logs_in()
    greta.presses("Go on", {"Code": recovery})
    greta.sees("or was used already")


def test_a_session_left_open_elsewhere_is_ended_from_here(member: People, newcomer: People):
    hanna = member("hanna")
    library = newcomer("hanna-in-the-library")
    library.email = hanna.email
    library.logs_in()
    library.sees("Hello, Hanna")

    hanna.opens("/account/sessions/")
    hanna.sees("this one")
    hanna.presses("Log out everywhere else")

    library.opens("/account/")
    assert "/account/login/" in library.page.url
    hanna.opens("/account/")
    hanna.sees("Hello, Hanna")


def test_a_changed_password_ends_what_was_open_elsewhere(member: People, newcomer: People):
    ida = member("ida")
    elsewhere = newcomer("ida-elsewhere")
    elsewhere.email = ida.email
    elsewhere.logs_in()

    ida.opens("/account/password-change/")
    new = "a kettle of good glue"
    ida.presses("Change password", {"Old password": ida.password, "New password": new, "The same once more": new})

    ida.sees("Your other sessions have been ended.")
    elsewhere.opens("/account/")
    assert "/account/login/" in elsewhere.page.url


def test_a_google_account_is_linked_and_taken_off_and_each_time_a_mail_says_so(member: People, newcomer: People):
    jan = member("jan")
    jan.site.google.profile = {"sub": "42", "email": jan.email, "email_verified": True, "given_name": "Jan"}

    jan.opens("/account/google/")
    jan.presses("Go to Google", {"Your password": jan.password})
    jan.opens("/account/google/")
    jan.sees("Linked since")
    jan.gets_mail("A Google account was linked")

    elsewhere = newcomer("jan-by-google")
    elsewhere.opens("/account/login/")
    elsewhere.presses("Continue with Google")
    elsewhere.opens("/account/")
    elsewhere.sees("Hello, Jan")

    jan.presses("Take it off", {"Your password": jan.password})
    jan.sees("Your Google account is no longer linked.")
    jan.gets_mail("Your Google account is no longer linked")


def test_who_leaves_takes_the_data_along_and_is_gone(member: People, newcomer: People, staff: Staff):
    kira = member("kira")
    kira.opens("/account/edit/")
    kira.presses("Save", {"About you": "I set type by hand."})
    kira.opens("/account/edit/")
    kira.presses("Download all your data (ZIP)")
    with zipfile.ZipFile(io.BytesIO(kira.page.answer.content)) as archive:
        everything = " ".join(archive.read(name).decode(errors="replace") for name in archive.namelist())
    assert "I set type by hand." in everything
    assert kira.email in everything
    assert "argon2" not in everything

    kira.opens("/account/leave/")
    kira.presses("Delete my account", {"Type your username to confirm": "kira", "Your password": kira.password})
    kira.sees("Your account is deleted. Farewell.")
    kira.gets_mail("Your account is deleted")

    kira.logs_in()
    kira.sees("do not go together")
    charlie = newcomer("charlie-later")
    assert charlie.opens("/account/users/kira/").status == 404
    assert kira.site.rows("SELECT id FROM account_user WHERE username = ? OR email = ?", "kira", kira.email) == []
    staff.opens("/admin/account/user/?q=kira@people.example")
    assert not re.search(r"\b1 user\b", staff.page.text)


def test_a_page_made_for_a_member_is_shown_to_nobody_else(member: People, newcomer: People):
    """With the cookies that other programs leave behind, among them some that no standard allows."""
    lotte, stranger = member("lotte"), newcomer("stranger-after-lotte")
    pages = ["/", "/blog/", "/shop/", "/images/", "/images/ranking/", "/account/users/lotte/", "/about/", "/terms/"]
    for page in pages:
        lotte.opens(page)
        lotte.sees("Log out")

    for page in pages:
        stranger.opens(page)
        stranger.sees("Log in")
        stranger.misses("Log out")


def test_a_stranger_gets_nothing_at_a_members_addresses(newcomer: People):
    newcomer("charlie-the-stranger").is_refused(
        [
            *("/account/", "/account/edit/", "/account/email/", "/account/sessions/", "/account/leave/"),
            *("/account/muted-and-blocked/", "/account/code/setup/", "/account/google/", "/account/password-change/"),
            *("/orders/", "/images/create/", "/admin/", "/admin/account/user/", "/blog/preview/x/"),
        ]
    )
