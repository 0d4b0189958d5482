"""
A site of version 0.1 goes on in this one: what had another name or stood in another app there is all still here.

from-0.1.zip is a backup that 0.1 has made. To restore it the tables are first brought back to those of 0.1 and then
forward again with its rows in them, which is what `manage.py migrate` does on a site that is upgraded.
"""

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from account.models import MuteOrBlock, User
from archive.tests.test_backup import BackupCase
from blog.models import Post, PostCount
from config.celery import FORMER_NAMES
from config.celery import app as celery_app
from core.models import SweepRun
from core.tasks import run_sweep
from core.tests.waiting import wait_until
from demo.models import DemoContent
from mail.models import OutgoingMail
from mail.tests.factories import make_mail

FROM_0_1 = Path(__file__).parent / "from-0.1.zip"


class UpgradeTests(BackupCase):
    def test_everything_is_there_under_the_name_it_has_now(self):
        self.restore(FROM_0_1, force=True)

        with self.subTest("people, posts and waiting mails"):
            alice, bob = User.objects.order_by("username")
            assert alice.password.startswith("argon2")
            assert Post.objects.get().title == "Written with 0.1"
            assert OutgoingMail.objects.get().text == "Still here."

        with self.subTest("what was renamed or has moved"):
            assert alice.mute_or_block_of(bob) == MuteOrBlock.objects.get().kind == "mute"
            assert dict(PostCount.objects.values_list("name", "posts")) == {f"author:{alice.pk}": 1, "posts": 1}
            assert DemoContent.objects.get().model == "blog.Post"

        with self.subTest("a sweep that ran a moment ago does not run again because its module moved"):
            names = set(SweepRun.objects.values_list("name", flat=True))
            assert names == {"content.tasks.sweep_orphans", "core.tasks.refresh_statistics", "mail.tasks.sweep_outbox"}

        with self.subTest("groups may do what they could, and the log says of what it speaks"):
            rights = set(Group.objects.get().permissions.values_list("content_type__app_label", "codename"))
            assert rights == {("core", "view_sweeprun"), ("blog", "view_postcount"), ("account", "delete_muteorblock")}
            assert LogEntry.objects.get().content_type == ContentType.objects.get_for_model(SweepRun)

        with self.subTest("no name of 0.1 stands beside the new one"):
            assert not ContentType.objects.filter(model__in=["tally", "boundary"]).exists()
            assert not ContentType.objects.filter(app_label="config").exists()


@pytest.mark.django_db
def test_sweep_that_another_release_asks_for_is_left_to_that_release():
    run_sweep("config.tasks.sweep_orphans")

    assert not SweepRun.objects.exists()


@pytest.mark.services
def test_worker_does_what_waited_in_the_queue_under_names_of_0_1(worker):
    mail = make_mail(available_at=timezone.now() - timedelta(minutes=1))

    for name in FORMER_NAMES:
        celery_app.send_task(name, ["mail.tasks.sweep_outbox"] if name.endswith("run_sweep") else [])

    wait_until(lambda: OutgoingMail.objects.filter(pk=mail.pk, status=OutgoingMail.Status.SENT).exists(), worker)
