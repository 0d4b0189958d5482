"""The yardsticks' addresses, in front of the site's own, which their lists link to."""

from django.urls import path

from bench import _yardsticks
from config.urls import urlpatterns as site

urlpatterns = [
    path("bench/constant/", _yardsticks.constant),
    path("bench/plain/", _yardsticks.plain_list),
    path("bench/tutorial/", _yardsticks.tutorial_list),
    *site,
]
