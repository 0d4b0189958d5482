"""The document says what the forms take."""

from tests.input_rules import DOCUMENT, document


def test_the_document_says_what_the_forms_take():
    assert DOCUMENT.read_text() == document(), "run python -m tests.input_rules"


def test_a_limit_a_pattern_and_a_validator_of_ours_are_named():
    text = document()

    assert "| `orders.forms.OrderCreateForm` | checkout_key | RegexField | required, `^[\\w-]{16,64}$` |" in text
    assert "| `blog.forms.CommentForm` | body | CharField | required, at most 5000 characters, `visible` |" in text
    assert "| `cart.forms.QuantityForm` | quantity | IntegerField | required, at most 99, at least 1 |" in text
