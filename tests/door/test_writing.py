"""A post from its first draft to the conversation below it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from .pages import Answer
from .person import Person
from .staff import Staff

People = Callable[[str], Person]


def write(staff: Staff, title: str, body: str, **more: Answer) -> int:
    """Save a post by the editor's form; return its number."""
    staff.opens("/admin/blog/post/add/")
    staff.presses("Save", {"Title": title, "Body": body, **more})
    staff.sees("was added successfully")
    (number,) = staff.site.rows("SELECT id FROM blog_post WHERE title = ?", title)[0]
    return int(str(number))


def test_a_draft_is_seen_by_nobody_but_whom_the_link_was_given(staff: Staff, newcomer: People):
    number = write(staff, "A press in the cellar", "It weighs *a ton*.")
    friend, charlie = newcomer("friend"), newcomer("charlie-by-the-door")
    staff.opens(f"/admin/blog/post/{number}/change/")
    staff.clicks("Preview link")
    link = staff.page.link(f"{staff.site.url}/blog/preview/")

    friend.opens(link)
    friend.sees("This is a preview", "It weighs a ton.")
    charlie.opens("/blog/")
    charlie.misses("A press in the cellar")
    charlie.opens("/search/?q=cellar")
    charlie.misses("A press in the cellar")

    staff.presses("Make all links dead and give a new one")
    assert friend.opens(link).status == 404


def test_a_post_is_previewed_in_the_editor_published_and_corrected_and_nobody_reads_the_old_one(
    staff: Staff, newcomer: People
):
    reader = newcomer("reader")
    reader.opens("/blog/")
    number = write(staff, "How ink dries", "Slowly.", Tags="ink, patience", Status="published")

    reader.waits_to_see("/blog/", "How ink dries")
    reader.clicks("How ink dries")
    reader.sees("Slowly.", "ink", "patience")
    address = reader.page.url
    staff.opens(f"/admin/blog/post/{number}/change/")
    staff.presses("Preview the text", {"Body": "In **two** hours."})
    staff.sees("In two hours.")
    staff.opens(f"/admin/blog/post/{number}/change/")
    staff.presses("Save", {"Body": "In **two** hours."})

    reader.opens(address)
    reader.sees("In two hours.")
    reader.misses("Slowly.")
    reader.opens("/blog/tag/patience/")
    reader.sees("How ink dries")
    reader.opens("/search/?q=hours")
    reader.sees("How ink dries")
    assert b"How ink dries" in reader.looks_at("/blog/feed/").content

    staff.opens(f"/admin/blog/post/{number}/change/")
    staff.presses("Save", {"Status": "draft"})
    assert newcomer("somebody-else").opens(address).status == 404
    assert reader.opens(address).status == 404
    for page in ("/", "/blog/", "/search/?q=hours"):
        reader.opens(page)
        reader.misses("How ink dries")


def test_a_scheduled_post_appears_by_itself(staff: Staff, newcomer: People):
    moment = datetime.now(UTC) + timedelta(seconds=6)
    due: dict[str, Answer] = {"Date": f"{moment:%Y-%m-%d}", "Time": f"{moment:%H:%M:%S}"}
    write(staff, "Open house at noon", "Come in.", Status="published", Tags="visits", **due)
    reader = newcomer("early-reader")

    reader.opens("/blog/")
    if datetime.now(UTC) < moment - timedelta(seconds=1):
        reader.misses("Open house at noon")
    reader.waits_to_see("/blog/", "Open house at noon")
    reader.waits_to_see("/blog/tag/visits/", "Open house at noon")
    reader.waits_to_see("/search/?q=noon", "Open house at noon")


def comment(person: Person, body: str, **more: Answer) -> None:
    """Send a comment, twice where the site finds it too quick for a human hand."""
    person.presses("Send comment", {**more, "Comment": body})
    if "That was very quick" in person.page.text:
        person.presses("Send comment")


def test_a_strangers_comment_waits_for_a_word_of_the_staff(staff: Staff, newcomer: People):
    write(staff, "On gold leaf", "Hold your breath.", Status="published")
    stranger, reader = newcomer("lars"), newcomer("reader-of-gold")
    stranger.waits_to_see("/blog/", "On gold leaf")
    stranger.clicks("On gold leaf")
    address = stranger.page.url

    comment(stranger, "Is it real gold?", **{"Name": "Lars", "E-mail address": stranger.email})
    reader.opens(address)
    reader.misses("Is it real gold?")

    staff.follows_link_in(staff.gets_mail("A comment on “On gold leaf” waits for you"), "/blog/comments/decide/")
    staff.sees("Is it real gold?")
    staff.presses("Approve")
    reader.opens(address)
    reader.sees("Is it real gold?", "1 comment")
    reader.misses(stranger.email)

    number = staff.site.rows("SELECT id FROM blog_comment WHERE body = ?", "Is it real gold?")[0][0]
    staff.opens(f"/admin/blog/comment/{number}/change/")
    staff.presses("Save", {"State": "hidden"})
    reader.opens(address)
    reader.misses("Is it real gold?")
    reader.sees("0 comments")


def test_a_members_comment_shows_at_once(staff: Staff, member: People, newcomer: People):
    write(staff, "Thread, not glue", "It opens flat.", Status="published")
    mona = member("mona")
    mona.waits_to_see("/blog/", "Thread, not glue")
    mona.clicks("Thread, not glue")

    comment(mona, "Mine opened flat for ten years.")

    charlie = newcomer("charlie-who-reads")
    charlie.opens(mona.page.url)
    charlie.sees("Mine opened flat for ten years.", "Mona")


def test_a_reader_shares_a_post_by_mail(staff: Staff, newcomer: People):
    write(staff, "A letter for letters", "Set in Caslon.", Status="published")
    nora = newcomer("nora")
    nora.waits_to_see("/blog/", "A letter for letters")
    nora.clicks("A letter for letters")
    address = nora.page.url
    nora.clicks("Share by e-mail")
    answers: dict[str, Answer] = {"Your name": "Nora", "Your e-mail address": nora.email}
    nora.presses("Send", {**answers, "Send to": "otto@people.example", "A word from you": "Like yours."})
    if "That was very quick" in nora.page.text:
        nora.presses("Send")

    otto = newcomer("otto")
    letter = otto.gets_mail("was recommended to you")
    assert "Like yours." in letter.text
    otto.follows_link_in(letter, "/blog/")
    assert otto.page.url == address
