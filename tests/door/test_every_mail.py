"""Every kind of mail the site can write has left it in one of the journeys, and reads as its template says."""

import re
from pathlib import Path

import pytest

from tests.processes import ROOT

from .letters import Letter
from .site import Site

HERE = Path(__file__).parent
SAYS = (
    r"""{%\s*(?:translate\s+(["'])(?P<line>.*?)\1\s*|blocktranslate[^%]*%}(?P<block>.*?){%\s*endblocktranslate\s*)%}"""
)


def sentences(template: Path) -> list[re.Pattern[str]]:
    """Return what the template says, each sentence with room for its values."""
    found = [match["line"] or match["block"] for match in re.finditer(SAYS, template.read_text(), re.DOTALL)]
    return [re.compile(r".+?".join(map(re.escape, re.split(r"{{.*?}}", " ".join(text.split()))))) for text in found]


def kinds() -> dict[str, tuple[list[re.Pattern[str]], list[re.Pattern[str]]]]:
    """Return what the subject and the text of each kind of mail may say."""
    subjects = sorted((ROOT / "templates").glob("**/email/*.subject.txt"))
    return {
        str(path.relative_to(ROOT / "templates")).removesuffix(".subject.txt"): (
            sentences(path),
            sentences(path.with_name(path.name.replace(".subject.", ".body."))),
        )
        for path in subjects
    }


def shows(letter: Letter, subjects: list[re.Pattern[str]], texts: list[re.Pattern[str]]) -> bool:
    """Tell whether the letter is of a kind: two kinds may share a subject and a greeting, but not all they say."""
    text = " ".join(letter.text.split())
    own = [sentence for sentence in texts if not sentence.pattern.startswith("Hello")]
    return any(s.fullmatch(letter.subject) for s in subjects) and (not own or any(s.search(text) for s in own[:2]))


def test_every_kind_of_mail_has_left_and_no_letter_is_of_an_unknown_kind(request: pytest.FixtureRequest, site: Site):
    here = {item.path.name for item in request.session.items}
    if missing := {path.name for path in HERE.glob("test_*.py")} - here:
        pytest.skip(f"needs all journeys, without {', '.join(sorted(missing))} there are not")
    letters = site.letters.all()

    unseen = [name for name, says in kinds().items() if not any(shows(letter, *says) for letter in letters)]
    unknown = [letter for letter in letters if not any(shows(letter, *says) for says in kinds().values())]

    assert unseen == [], "no journey makes these leave"
    assert unknown == []


def test_no_mail_is_left_unsent(site: Site):
    """Asked last: what the journeys caused has gone, at the first try or a later one."""
    left = site.rows("SELECT kind, status, attempts, error FROM mail_outgoingmail WHERE status <> 'sent'")

    assert left == []
