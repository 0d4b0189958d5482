"""One visit through everything: read, join, pin, buy, and what the staff do with the order."""

import pytest

from . import journey

pytestmark = pytest.mark.browser


def visit(page, shot, picture_url):
    journey.fill_the_house()
    journey.read_and_search(page, shot)
    journey.join(page, shot)
    journey.save_pictures(page, shot, picture_url)
    journey.log_out(page)
    journey.buy_as_guest(page, shot)
    journey.get_invoice_by_mail()
    journey.work_as_staff(page, shot)


def test_the_main_job(page, shot, picture_url):
    visit(page, shot, picture_url)


@pytest.mark.services
def test_the_main_job_with_every_service(broker, page, shot, picture_url):
    visit(page, shot, picture_url)


def test_the_main_job_without_javascript(plain_page, plain_shot, picture_url):
    visit(plain_page, plain_shot, picture_url)
