"""An archive opens no door by itself, and one that makes no sense is refused with a sentence."""

import zipfile
from copy import copy
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models import F
from django.test import override_settings

from account import second_factor
from account.models import SecondFactor, Session, User
from account.tests.factories import code_now, make_user
from archive import tables
from archive.container import MANIFEST
from archive.tables import NOT_BACKED_UP
from archive.tests.test_backup import BackupCase, in_manifest, rewrite
from core.stores.sealed import SealedField

PICTURE = "images/a.png"


class SessionsTests(BackupCase):
    def setUp(self):
        super().setUp()
        self.client.force_login(make_user("alice", staff=True))
        self.key = self.client.cookies["sessionid"].value

    def test_a_login_that_was_open_is_not_in_the_archive(self):
        self.backup()

        assert "account.Session" not in self.archive.read_bytes().decode("latin-1")

    def test_restoring_logs_everybody_out(self):
        self.backup()

        self.restore(force=True)

        assert User.objects.filter(username="alice").exists()
        assert not Session.objects.exists()
        assert self.client.get("/account/").status_code == 302

    def test_sessions_in_an_archive_of_an_earlier_version_stay_there(self):
        self.backup()
        table = {"model": "account.Session", "member": "database/account.Session.jsonl", "columns": ["id"], "rows": 1}
        listed = {"size": 0, "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}

        def add(manifest):
            manifest["tables"].append(table)
            manifest["members"][table["member"]] = listed

        earlier = rewrite(self.archive, in_manifest(add))
        with zipfile.ZipFile(earlier, "a") as archive:
            archive.writestr(table["member"], b"")

        assert "are back" in self.restore(earlier, force=True)


class SecretsTests(BackupCase):
    """What is ciphertext in the database is the same ciphertext in the archive."""

    def setUp(self):
        super().setUp()
        self.alice = make_user("alice")
        self.secret = second_factor.begin(self.alice).secret
        self.codes = second_factor.confirm(self.alice, code_now(self.secret, steps=-1))
        self.backup()

    def in_archive(self, label):
        with zipfile.ZipFile(self.archive) as archive:
            return archive.read(f"database/{label}.jsonl").decode()

    def test_a_second_factor_is_not_read_out_of_an_archive(self):
        digest = second_factor._digest(self.alice, self.codes[0].replace("-", ""))

        assert str(self.alice.pk) in self.in_archive("account.SecondFactor")
        assert self.secret not in self.in_archive("account.SecondFactor")
        assert digest not in self.in_archive("account.RecoveryCode")

    def test_it_opens_the_account_after_a_restore(self):
        self.restore(force=True)

        assert second_factor.check(self.alice, code_now(self.secret))
        assert second_factor.check(self.alice, self.codes[0])

    def test_an_archive_of_an_earlier_release_is_sealed_on_its_way_in(self):
        self.archive.unlink()
        with mock.patch.object(SealedField, "as_stored", lambda field: F(field.attname)):
            self.backup()
        assert self.secret in self.in_archive("account.SecondFactor")

        self.restore(force=True)

        stored = SecondFactor._meta.get_field("secret").as_stored()
        assert self.secret not in SecondFactor.objects.values_list(stored, flat=True)
        assert second_factor.check(self.alice, code_now(self.secret))


class BombTests(BackupCase):
    """An archive of any size cannot fill the memory or the disk: its list is judged before anything is unpacked."""

    def setUp(self):
        super().setUp()
        make_user("alice")
        default_storage.save(PICTURE, ContentFile(b"picture" * 50))
        self.backup()

    def test_a_little_that_unpacks_to_very_much(self):
        def bomb(name: str, how: int) -> Path:
            changed = rewrite(self.archive, lambda member, content: None if member == name else content)
            with zipfile.ZipFile(changed, "a", how) as archive:
                archive.writestr(name, b" " * 60_000_000)
            return changed

        for name in (f"media/{PICTURE}", "database/account.User.jsonl", MANIFEST):
            archive = bomb(name, zipfile.ZIP_DEFLATED)
            with mock.patch("zlib.decompressobj", side_effect=AssertionError("unpacked")):
                assert "do not trust it" in self.refused(archive, force=True)
        assert "does not use" in self.refused(bomb(f"media/{PICTURE}", zipfile.ZIP_LZMA), force=True)

    def test_members_that_share_their_bytes(self):
        with zipfile.ZipFile(self.archive, "a") as archive:
            for number in range(900):
                archive.filelist.append(copy(archive.getinfo(f"media/{PICTURE}")))
                archive.filelist[-1].filename = f"media/images/{number}.png"
            archive._didModify = True

        assert "the same bytes twice" in self.refused(force=True)

    def test_more_than_the_disk_has_room_for(self):
        default_storage.delete(PICTURE)

        with mock.patch("shutil.disk_usage", return_value=SimpleNamespace(free=100)):
            assert "There is no room" in self.refused(force=True)

    def test_what_takes_the_place_of_the_same_needs_no_room(self):
        with zipfile.ZipFile(self.archive) as archive:
            rows = sum(info.file_size for info in archive.infolist() if info.filename.startswith("database/"))

        with mock.patch("shutil.disk_usage", return_value=SimpleNamespace(free=rows)):
            assert "are back" in self.restore(force=True)

    def test_a_row_without_an_end(self):
        with mock.patch.object(tables, "MAX_LINE", 20):
            assert "makes no sense" in self.refused(force=True)


class NonsenseTests(BackupCase):
    def setUp(self):
        super().setUp()
        make_user("alice")
        self.backup()

    def test_a_manifest_of_another_shape_is_refused(self):
        for name, value in [
            ("members", []),
            ("tables", {}),
            ("tables", [{"model": 1}]),
            ("migrations", [["account"]]),
            ("migrations", None),
            ("last_ids", []),
            ("database", 5),
        ]:
            with self.subTest(name=name, value=value):
                changed = rewrite(self.archive, in_manifest(lambda manifest, n=name, v=value: manifest.update({n: v})))
                assert "backup" in self.refused(changed, force=True)

    def test_a_manifest_nested_without_end_is_refused(self):
        deep = ("[" * 100_000).encode()
        changed = rewrite(self.archive, lambda name, content: deep if name == "manifest.json" else content)

        assert "is not a backup of this site" in self.refused(changed, force=True)

    def test_a_table_that_no_model_has_is_refused_and_the_site_stays(self):
        def rename(manifest):
            manifest["tables"][0]["model"] = "account.Nobody"

        assert "makes no sense" in self.refused(rewrite(self.archive, in_manifest(rename)), force=True)
        assert User.objects.filter(username="alice").exists()


@override_settings(DEBUG=True)
class MemoryTests(BackupCase):
    def test_restoring_with_debug_on_keeps_no_statement_of_every_row(self):
        for number in range(1200):
            User.objects.create(username=f"m{number}", email=f"m{number}@example.com")
        self.backup()
        connection.queries_log.clear()

        self.restore(force=True)

        assert sum(len(query["sql"]) for query in connection.queries) < 200_000


def test_what_an_archive_leaves_out_is_a_model_that_exists():
    assert all(apps.get_model(label) for label in NOT_BACKED_UP)
