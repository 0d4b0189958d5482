"""Several hosts: what changes on one is told to the others by Redis."""

import threading
from pathlib import Path

import pytest
from django.core.handlers.wsgi import WSGIHandler

from core.caching.pages import PageCache
from core.caching.store import PageStore
from core.caching.versions import Versions, slots_of
from core.tests.waiting import wait_until
from shop.models import Category
from shop.tests.factories import make_category
from tests import processes
from tools.run import web_server
from tools.services import free_port


@pytest.mark.services
def test_a_web_server_hears_what_changes_on_another_host(transactional_db: None, tmp_path: Path) -> None:
    category, theirs = make_category(), Versions(tmp_path)
    before, changed = theirs.now(), slots_of([f"{Category._meta.db_table}.name"])

    def is_heard() -> bool:  # again and again: nobody hears what is said before they listen
        Category.objects.filter(pk=category.pk).update(name="Prints")
        return theirs.last_change(changed) > before

    there = processes.environment(TEST_VAR_DIR=str(tmp_path))
    with processes.started(*web_server(free_port(), reload=False), log="other-host.log", env=there) as server:
        wait_until(is_heard, server)


def test_a_page_cache_listens_to_nobody_by_itself(tmp_path: Path) -> None:
    before = threading.active_count()

    for _ in range(3):
        PageCache(WSGIHandler(), PageStore(tmp_path))

    assert threading.active_count() == before
