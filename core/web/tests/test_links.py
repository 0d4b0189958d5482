"""The cheap address of a page is the one that Django would have given."""

import itertools

import pytest
from django.test import override_settings
from django.urls import NoReverseMatch, reverse, set_script_prefix

from core.web.links import path_to
from tests.addresses import addresses

# What people, and scripts, have for names, and what a route may refuse or write in another way.
VALUES = [
    7,
    0,
    -7,
    730_100,
    "paper",
    "a-b_c",
    "0123",
    "größe",
    "日本語",
    "a.b",
    "me@site+x",
    "a b",
    "a/b",
    "50%",
    "%s",
    "",
    "?",
    None,
    1.5,
]


def given_by(give, name, values):
    try:
        return give(name, values)
    except NoReverseMatch:
        return "refused"


@pytest.mark.parametrize("name", addresses())
def test_it_is_what_reverse_gives_for_every_address_of_the_site_and_every_kind_of_value(name):
    converters = addresses()[name].pattern.converters
    sample = [7 if type(converter).__name__ == "IntConverter" else "paper" for converter in converters.values()]
    asked = {tuple(sample), *itertools.chain.from_iterable(spoilt(sample, place) for place in range(len(sample)))}

    for values in asked:
        cheap = given_by(lambda name, values: path_to(name, *values), name, values)
        assert cheap == given_by(lambda name, values: reverse(name, args=values), name, values), values


def spoilt(sample, place):
    return [(*sample[:place], value, *sample[place + 1 :]) for value in VALUES]


def test_it_follows_where_the_site_stands():
    before = path_to("blog:post_list_by_author", "anna")
    try:
        set_script_prefix("/below/")
        below = path_to("blog:post_list_by_author", "anna")
    finally:
        set_script_prefix("/")

    assert (before, below) == ("/blog/author/anna/", "/below/blog/author/anna/")


@override_settings(ROOT_URLCONF="blog.urls")
def test_another_list_of_addresses_has_addresses_of_its_own():
    assert path_to("post_list_by_author", "anna") == "/author/anna/"
