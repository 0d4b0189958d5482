"""Which passwords are too easily guessed by somebody who knows the site."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

pytestmark = pytest.mark.usefixtures("named")


@pytest.fixture
def named(settings):
    settings.SITE_NAME, settings.SELLER_NAME = "Mühle & Press", "Papermill Ltd"
    settings.SITE_URL = "https://shop.millpress.example"


@pytest.mark.parametrize(
    "password", ["Mühle2026!!!!", "PRESS-press-1234", "papermill.shop.1", "Welcome-millpress", "1234-Admin-5678"]
)
def test_the_names_of_the_site_are_refused(password):
    with pytest.raises(ValidationError, match="name of this site"):
        validate_password(password)


@pytest.mark.parametrize("password", ["the press has nine lives", "correct horse battery", "x7$Kq92!vB-4hjw"])
def test_what_merely_mentions_them_is_not(password):
    validate_password(password)
