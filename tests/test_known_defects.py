"""
Faults that sites of this kind have been found to have, the critical and the grave ones, under the numbers by which our
tests cite them: `grep -rn "D19"` leads to the test that would fail on the fault.
"""

import re

from django.conf import settings

DEFECTS = {
    1: "does not start with the versions it names",
    2: "registering and editing a profile are a 500",
    3: "a library that nobody locked makes every invoice fail",
    5: "whoever logged in by e-mail stays in after being switched off",
    6: "one address in two spellings makes two accounts",
    9: 'the password "1" is taken at registration',
    13: "wrong passwords and reset mails without limit",
    17: "an account made on the command line has no profile, and its page is a 500",
    19: "parallel follows make several rows, and every later one a 500",
    25: "the server fetches pictures from its own network",
    26: "a redirect leads the fetch inside",
    27: "anything is stored as a picture: HTML, scripts, a 404 page",
    28: "a 300 MB picture is read into memory and kept",
    29: "a server that never answers occupies every worker",
    30: "an address that cannot be fetched is a 500",
    31: "a title without letters breaks the lists for everybody",
    36: "picture and ranking are a 500 while Redis is away",
    42: "scripts in a post run in every reader's browser",
    43: "a tag in another script makes the blog a 500",
    44: "a post around midnight is not found at its own address",
    45: "two posts at one address make it a 500",
    46: "a post planned for next month is public now",
    48: "the share form sends anybody's words to anybody",
    50: "comments without limit in number and size, all public at once",
    52: "the search does not look into the text",
    53: "the search does not find a word of a long title",
    60: "an event delivered three times makes three invoices",
    61: "an order is paid by an event about one cent",
    62: "a paid order can be paid again",
    63: "an order is paid without an invoice while Redis is away",
    64: "a dead broker makes two orders of one",
    65: "four presses make four orders",
    66: "a product deleted from the shop breaks the carts it lies in",
    67: "an empty cart can be ordered",
    68: "what is not for sale can be ordered",
    69: "an old price is charged",
    70: "a product deleted from the shop vanishes from paid orders",
    71: "an expired coupon still counts",
    72: "a coupon counts for the next order too, without limit",
    73: "an order of nothing stays unpaid for ever",
    77: "the page that says paid says so to everybody",
    81: "staff without any permission read every order",
    82: "a name in the export runs as a formula",
    83: "every robot gets a session row",
    84: "product and cart are a 500 while Redis is away",
}

# "def test_…():  # D19", or the number at the beginning of a docstring.
CITED = re.compile(r'(?m)(?:def test_\w+\(.*#|^\s*"""|^class \w+.*#)(.*\bD\d+\b.*)$')


def test_every_grave_defect_is_cited_by_a_test():
    cited: set[int] = set()
    for path in settings.BASE_DIR.glob("*/**/test_*.py"):
        if not {"var", ".venv"} & set(path.relative_to(settings.BASE_DIR).parts):
            for line in CITED.findall(path.read_text()):
                cited.update(int(number) for number in re.findall(r"\bD(\d+)\b", line))

    assert {f"D{number}": DEFECTS[number] for number in DEFECTS.keys() - cited} == {}
