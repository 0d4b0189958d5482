"""Pictures from everywhere on the web, and the people who save them."""

from collections.abc import Callable
from urllib.parse import urlencode

from content.tests.picture_files import picture_bytes
from core.tests.sink import http_answer

from .person import Person

People = Callable[[str], Person]


def hang_out(person: Person, name: str, size: tuple[int, int]) -> str:
    """Put a picture on somebody else's web server; return its address."""
    elsewhere = person.site.elsewhere
    elsewhere.answers[f"/{name}"] = http_answer(picture_bytes("PNG", size), Content_Type="image/png")
    return f"http://127.0.0.1:{elsewhere.port}/{name}"


def saves(person: Person, address: str, title: str) -> str:
    """Save a picture by its address and wait for it; return the address of its page."""
    person.opens("/images/create/")
    person.presses("Save", {"Address of a picture or a page": address, "Title": title})
    person.sees("We are fetching the picture")
    page = person.page.url
    person.waits_to_see(page, "0 likes")
    return page


def uploads(person: Person, name: str, size: tuple[int, int], *, private: bool = False) -> str:
    person.opens("/images/create/")
    file = (name, picture_bytes("JPEG", size), "image/jpeg")
    person.presses("Save", {"Or a file of yours": file, "Only for me": private})
    person.sees("Picture saved.")
    return person.page.url


def test_a_picture_is_uploaded_shown_to_all_and_deleted_with_its_file(member: People, newcomer: People):
    paula, charlie = member("paula"), newcomer("charlie-at-the-board")
    address = uploads(paula, "wet clay.jpg", (640, 480))
    assert paula.page.heading == "wet clay"

    charlie.opens(address)
    charlie.sees("wet clay")
    (picture, *_) = charlie.page.pictures()
    assert charlie.looks_at(picture).headers["Content-Type"].startswith("image/")
    charlie.opens("/images/")
    charlie.sees("wet clay")
    charlie.is_refused([address.replace("/detail/", "/").rsplit("/", 2)[0] + "/edit/"])

    paula.opens(address)
    paula.clicks("Delete")
    paula.presses("Delete")
    assert charlie.opens(address).status == 404
    assert charlie.looks_at(picture).status_code == 404
    charlie.opens("/images/")
    charlie.misses("wet clay")


def test_an_address_inside_somebodys_network_is_refused_at_once(member: People):
    nina = member("nina")
    for address in ("http://[::1]/a.png", "http://10.0.0.7/a.png", "http://127.1/a.png"):
        nina.opens("/images/create/")
        nina.presses("Save", {"Address of a picture or a page": address, "Title": "Nothing"})

        nina.sees("We could not get anything we can use from this address.")
        assert nina.page.status == 422


def test_a_private_picture_is_for_nobody_else(member: People, newcomer: People):
    quinn, charlie = member("quinn"), newcomer("charlie-the-curious")
    address = uploads(quinn, "a secret mark.jpg", (500, 400), private=True)
    quinn.sees("only for you")

    assert charlie.opens(address).status == 404
    for page in ("/images/", "/images/by/quinn/", "/search/?q=secret"):
        charlie.opens(page)
        charlie.misses("a secret mark")


def test_a_picture_is_fetched_from_its_address_and_from_a_page_that_shows_it(member: People):
    rosa = member("rosa")
    kiln = hang_out(rosa, "kiln.png", (800, 600))
    wheel = hang_out(rosa, "wheel.png", (700, 500))
    shown = f'<title>Wheel</title><meta property="og:image" content="{wheel}">'.encode()
    rosa.site.elsewhere.answers["/wheel"] = http_answer(shown, Content_Type="text/html")

    saves(rosa, kiln, "Kiln at night")
    saves(rosa, wheel.removesuffix(".png"), "Potter's wheel")

    rosa.opens("/images/by/rosa/")
    rosa.sees("Kiln at night", "Potter's wheel")
    assert [rosa.looks_at(picture).status_code for picture in rosa.page.pictures()[:2]] == [200, 200]


def test_the_bookmarklet_leads_to_a_choice_of_what_the_page_showed(member: People):
    sara = member("sara")
    found = [hang_out(sara, "one.png", (300, 300)), hang_out(sara, "two.png", (320, 300))]
    sara.opens("/account/")
    (bookmarklet,) = sara.page.soup.select("a.bookmarklet")
    assert f"{sara.site.url}/images/create/" in str(bookmarklet["href"])
    here = {"url": found, "title": "Harbour", "page": "https://harbour.example/boats"}

    sara.opens(f"/images/create/?{urlencode(here, doseq=True)}")
    sara.sees("Which picture?")
    sara.presses("Save", {"Picture 2": True})

    sara.waits_to_see(sara.page.url, "0 likes", "harbour.example")
    assert sara.page.heading == "Harbour"


def test_a_page_that_is_no_picture_is_refused_in_words(member: People):
    tom = member("tom")
    tom.site.elsewhere.answers["/nothing"] = http_answer(b"<title>Nothing</title>", Content_Type="text/html")
    tom.opens("/images/create/")
    tom.presses("Save", {"Address of a picture or a page": f"http://127.0.0.1:{tom.site.elsewhere.port}/nothing"})

    tom.waits_to_see(tom.page.url, "We could not get anything we can use from this address.")


def test_somebody_likes_and_the_picture_counts_it(member: People):
    ute, vera = member("ute"), member("vera")
    address = uploads(ute, "paper dust.jpg", (450, 300))

    vera.opens(address)
    vera.presses("Like")
    vera.sees("1 like")
    ute.opens(address)
    ute.sees("1 like")
    vera.presses("Unlike")
    ute.opens(address)
    ute.sees("0 likes")


def test_what_one_follows_is_in_the_stream_until_it_is_muted(member: People):
    wim, xenia = member("wim"), member("xenia")
    wim.opens("/account/users/xenia/")
    wim.presses("Follow")
    wim.sees("1 follower")
    uploads(xenia, "first proof.jpg", (410, 300))
    wim.waits_to_see("/account/", "first proof")

    wim.opens("/account/users/xenia/")
    wim.presses("Mute")
    wim.opens("/account/")
    wim.misses("first proof")
    wim.opens("/images/")
    wim.misses("first proof")
    xenia.opens("/account/users/wim/")
    xenia.sees("Wim")

    wim.opens("/account/muted-and-blocked/")
    wim.presses("Lift", near="Xenia")
    wim.opens("/images/")
    wim.sees("first proof")


def test_between_two_who_are_blocked_there_is_nothing_and_a_third_sees_both(member: People):
    yann, zoe, third = member("yann"), member("zoe"), member("between")
    of_yann, of_zoe = uploads(yann, "a boat.jpg", (420, 300)), uploads(zoe, "a bridge.jpg", (430, 300))
    zoe.opens("/account/users/yann/")
    zoe.presses("Follow")

    yann.opens("/account/users/zoe/")
    yann.presses("Block")

    assert zoe.opens(of_yann).status == 404
    assert yann.opens(of_zoe).status == 404
    assert zoe.opens("/account/users/yann/").status == 404
    for person, hidden in ((zoe, "a boat"), (yann, "a bridge")):
        for page in ("/account/", "/images/", "/search/?q=boat bridge"):
            person.opens(page)
            person.misses(hidden)
    third.opens("/images/")
    third.sees("a boat", "a bridge")

    yann.opens("/account/muted-and-blocked/")
    yann.presses("Lift", near="Zoe")
    assert zoe.opens(of_yann).status == 200
