import json
import shutil
import zipfile
from io import StringIO
from pathlib import Path
from tempfile import mkdtemp
from unittest.mock import patch

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage, storages
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections, transaction
from django.test import TransactionTestCase
from django.utils import timezone

from account.models import User
from account.tests.factories import make_user
from archive import tables
from archive.container import MANIFEST, Reader, is_safe
from images.models import Image
from images.tests.factories import make_image
from orders import invoice
from orders.models import Invoice, Order
from orders.tests.factories import make_order
from search.models import Document
from search.reindexing import reindex
from tests import processes


def manifest_of(archive: Path) -> dict:
    with Reader(archive) as reader:
        return reader.manifest


def rewrite(source: Path, change) -> Path:
    """Copy the archive; `change(name, content)` returns what to write instead, or None to leave the member out."""
    target = source.with_name(f"changed-{source.name}")
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return target


def in_manifest(change):
    """Return a `change` for rewrite() that alters the manifest only."""

    def apply(name: str, content: bytes) -> bytes:
        if name != MANIFEST:
            return content
        manifest = json.loads(content)
        change(manifest)
        return json.dumps(manifest).encode()

    return apply


def stored(storage, name: str) -> bytes:
    with storage.open(name) as file:
        return file.read()


class BackupCase(TransactionTestCase):
    def setUp(self):
        self.folder = Path(mkdtemp(prefix="atelier-backup-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for storage in (default_storage, storages["private"]):
            if isinstance(storage, FileSystemStorage):
                shutil.rmtree(storage.location, ignore_errors=True)
        self.archive = self.folder / "site.zip"
        # The backup opens a connection of its own, which Django cannot know when it looks at this class.
        self.enterContext(patch.object(type(self), "databases", {"default", tables.SNAPSHOT}))

    def backup(self, *arguments: str) -> str:
        out = StringIO()
        call_command("backup", *(arguments or [str(self.archive)]), verbosity=0, stdout=out)
        return out.getvalue()

    def restore(self, source: Path | None = None, **options) -> str:
        out = StringIO()
        call_command("restore", str(source or self.archive), verbosity=0, stdout=out, **options)
        return out.getvalue()

    def refused(self, source: Path | None = None, **options) -> str:
        with pytest.raises(CommandError) as refusal:
            self.restore(source, **options)
        return str(refusal.value)

    def forget_everything(self) -> None:
        models = tables.all_models(apps)
        with transaction.atomic():
            tables.empty([model for model in models if model._meta.app_label not in ("auth", "contenttypes")])
        for storage in (default_storage, storages["private"]):
            shutil.rmtree(storage.location)


class RoundTripTests(BackupCase):
    def setUp(self):
        super().setUp()
        self.alice = make_user("alice", first_name="Ålice 🪶")
        self.image = make_image(owner=self.alice, stored=True)
        self.order = make_order(paid=True)
        self.paper = Invoice.objects.get()
        self.pdf = invoice.pdf(self.paper)
        storages["private"].save("downloads/0a/A: book.pdf", ContentFile(b"%PDF goods"))

    def test_every_row_and_file_comes_back_as_it_was(self):
        self.paper.refresh_from_db()
        picture = stored(default_storage, self.image.file.name)
        self.backup()
        self.forget_everything()

        self.restore()

        assert User.objects.get().first_name == "Ålice 🪶"
        assert User.objects.get().password == self.alice.password
        order, paper = Order.objects.get(), Invoice.objects.get()
        assert (order.token, order.created_at, order.status) == (
            self.order.token,
            self.order.created_at,
            Order.objects.get().status,
        )
        assert (paper.snapshot, paper.sha256, paper.number) == (
            self.paper.snapshot,
            self.paper.sha256,
            self.paper.number,
        )
        assert invoice.pdf(paper) == self.pdf
        assert stored(storages["private"], "downloads/0a/A: book.pdf") == b"%PDF goods"
        assert stored(default_storage, Image.objects.get().file.name) == picture

    def test_backup_of_the_restored_site_is_the_same(self):
        self.backup()
        first = manifest_of(self.archive)
        self.forget_everything()
        self.restore()
        self.archive = self.folder / "second.zip"
        self.backup()

        second = manifest_of(self.archive)

        assert first["members"] == second["members"]
        assert first["last_ids"] == second["last_ids"]

    def test_id_that_was_given_out_before_the_backup_is_not_given_out_again(self):
        gone = make_user("bob")
        gone_id = gone.pk
        gone.delete()
        self.backup()
        self.forget_everything()

        self.restore()

        assert make_user("charlie").pk > gone_id

    def test_site_is_found_by_search_again(self):
        reindex()
        documents = Document.objects.count()
        self.backup()
        self.forget_everything()

        self.restore()

        assert Document.objects.count() == documents > 0
        assert not any(reindex(repair=False).values())

    def test_force_replaces_what_stands_there(self):
        self.backup()
        make_user("bob")
        left_over = default_storage.save("images/left-over.png", ContentFile(b"x"))

        assert "not empty" in self.refused()
        self.restore(force=True)

        assert [user.username for user in User.objects.all()] == ["alice"]
        assert not default_storage.exists(left_over)
        assert default_storage.exists(self.image.file.name)

    def test_lone_file_makes_a_site_not_empty(self):
        self.backup()
        self.forget_everything()
        default_storage.save("images/somebody-elses.png", ContentFile(b"x"))

        assert "somebody-elses.png" in self.refused()

    def test_site_moves_to_another_kind_of_database_and_back(self):
        """SQLite here to another SQLite, PostgreSQL here to SQLite: by other processes, as a person does it."""
        elsewhere = {"TEST_VAR_DIR": str(self.folder), "DATABASE_URL": f"sqlite:///{self.folder}/other.sqlite3"}
        (self.folder / "back").mkdir()
        reindex()
        self.backup()
        before = manifest_of(self.archive)

        there = processes.run("restore", str(self.archive), **elsewhere)
        again = processes.run("backup", str(self.folder / "back" / "site.zip"), **elsewhere)
        self.forget_everything()
        self.restore(self.folder / "back" / "site.zip")

        assert there.returncode == 0, there.stderr
        assert again.returncode == 0, again.stderr
        assert Order.objects.get().token == self.order.token
        assert invoice.pdf(Invoice.objects.get()) == self.pdf
        after = manifest_of(self.folder / "back" / "site.zip")
        assert [table["rows"] for table in after["tables"]] == [table["rows"] for table in before["tables"]]

    def test_what_an_archive_holds_of_an_app_that_is_gone_is_left_out(self):
        self.backup()

        def make_older(manifest):
            for app, model in (
                ("axes", "axes.AccessLog"),
                ("easy_thumbnails", "easy_thumbnails.Source"),
                ("taggit", "taggit.Tag"),
            ):
                member = f"database/{model}.jsonl"
                manifest["migrations"].append([app, "0001_initial"])
                manifest["tables"].append({"model": model, "member": member, "columns": [], "rows": 1})

        older = rewrite(self.archive, in_manifest(make_older))
        self.forget_everything()

        self.restore(older)

        assert Order.objects.exists()

    def test_archive_of_an_older_version_is_restored_and_brought_up_to_date(self):
        newest, its_table = "social_django", "social_django.Partial"
        self.backup()

        def make_older(manifest):
            manifest["migrations"] = [[app, name] for app, name in manifest["migrations"] if app != newest]
            gone = [table for table in manifest["tables"] if table["model"].startswith(f"{newest}.")]
            for table in gone:
                manifest["tables"].remove(table)
                del manifest["members"][table["member"]]

        change = in_manifest(make_older)
        older = rewrite(self.archive, lambda name, content: None if f"/{newest}." in name else change(name, content))
        self.forget_everything()

        self.restore(older)

        assert User.objects.get().username == "alice"
        assert not apps.get_model(its_table).objects.exists()  # the table is there

    def test_damage_halfway_leaves_the_rows_that_were_there(self):
        self.backup()

        def one_row_more(manifest):
            next(table for table in manifest["tables"] if table["model"] == "payment.Payment")["rows"] += 1

        wrong = rewrite(self.archive, in_manifest(one_row_more))
        make_user("bob")

        assert "should have" in self.refused(wrong, force=True)

        assert User.objects.filter(username="bob").exists()
        assert default_storage.exists(self.image.file.name)


class WhileTheSiteRunsTests(BackupCase):
    def test_rows_are_those_of_one_moment_and_nobody_waits(self):
        make_user("alice")

        with tables.snapshot() as using:
            make_user("bob")  # on SQLite this would wait for a lock that the backup holds
            names = list(User.objects.using(using).values_list("username", flat=True))

        assert names == ["alice"]
        assert tables.SNAPSHOT not in connections.settings

    def test_large_table_is_read_a_few_rows_at_a_time(self):
        for number in range(5):
            make_user(f"user{number}")
        told = []

        with patch.object(tables, "ROWS", 2):
            pieces = list(tables.lines_of(User, "default", told.append))

        assert told == [2, 2, 1]
        assert len(b"".join(pieces).splitlines()) == 5

    def test_file_deleted_meanwhile_is_left_out_and_told(self):
        default_storage.save("images/gone.png", ContentFile(b"x"))
        with patch("django.core.files.storage.Storage.open", side_effect=FileNotFoundError):
            told = self.backup()

        assert "1 files were deleted" in told


class TargetTests(BackupCase):
    def test_folder_gets_a_dated_file_and_keeps_the_newest(self):
        for day in ("20200101", "20200102"):
            (self.folder / f"atelier-{day}-000000.zip").touch()

        self.backup(str(self.folder), "--keep", "2")

        assert sorted(path.name[:16] for path in self.folder.iterdir()) == [
            "atelier-20200102",
            f"atelier-{timezone.now():%Y%m%d}",
        ]

    def test_archive_is_for_its_owner_only(self):
        self.backup()

        assert self.archive.stat().st_mode & 0o777 == 0o600

    def test_existing_file_is_not_overwritten(self):
        self.archive.write_text("precious")

        with pytest.raises(CommandError, match="exists already"):
            self.backup()

        assert self.archive.read_text() == "precious"

    def test_interrupted_backup_leaves_nothing_behind(self):
        full = OSError("No space left on device")
        with patch("archive.making._files_into", side_effect=full), pytest.raises(CommandError, match="No space"):
            self.backup()

        assert list(self.folder.iterdir()) == []


class RefusalTests(BackupCase):
    """Each bad archive is refused with a sentence that says what is wrong, before anything changes."""

    def setUp(self):
        super().setUp()
        make_user("alice")
        default_storage.save("images/a.png", ContentFile(b"picture" * 50))
        self.backup()

    def tearDown(self):
        assert User.objects.filter(username="alice").exists()
        assert stored(default_storage, "images/a.png") == b"picture" * 50

    def test_file_that_is_not_there(self):
        assert "There is no file" in self.refused(self.folder / "none.zip", force=True)

    def test_file_that_was_cut_short(self):
        whole = self.archive.read_bytes()
        for size in (0, 100, len(whole) // 2, len(whole) - 1):
            self.archive.write_bytes(whole[:size])
            assert "cut short" in self.refused(force=True)

    def test_picture_with_another_content(self):
        changed = rewrite(self.archive, lambda name, content: b"other" if name == "media/images/a.png" else content)

        assert "checksum differs" in self.refused(changed, force=True)

    def test_damaged_bytes_on_the_disk(self):
        whole = self.archive.read_bytes()
        self.archive.write_bytes(whole.replace(b"picturepicture", b"picturePicture", 1))

        assert "images/a.png in the archive is damaged" in self.refused(force=True)

    def test_member_that_is_missing_or_was_added(self):
        missing = rewrite(self.archive, lambda name, content: None if name.endswith("a.png") else content)
        assert "altered or cut short" in self.refused(missing, force=True)

        with zipfile.ZipFile(self.archive, "a") as archive:
            archive.writestr("media/images/b.png", b"x")
        assert "altered or cut short" in self.refused(force=True)

    def test_member_that_leads_out_of_the_sites_folders(self):
        for name in ("media/../../etc/passwd", "/etc/passwd", "elsewhere/a", "media//a", "media/./a", "private/.."):
            assert not is_safe(name), name
        with zipfile.ZipFile(self.archive, "a") as archive:
            archive.writestr("media/../../escaped.png", b"x")

        assert "do not trust it" in self.refused(force=True)

    def test_version_newer_than_this_one(self):
        newer = rewrite(self.archive, in_manifest(lambda manifest: manifest["migrations"].append(["shop", "9999_new"])))

        assert "newer version" in self.refused(newer, force=True)

    def test_another_format(self):
        other = rewrite(self.archive, in_manifest(lambda manifest: manifest.update(format=99)))

        assert "format 99" in self.refused(other, force=True)

    def test_zip_file_of_something_else(self):
        with zipfile.ZipFile(self.folder / "other.zip", "w") as other:
            other.writestr("readme.txt", "hello")

        assert "not a backup" in self.refused(self.folder / "other.zip", force=True)


class UnmigratedTests(TransactionTestCase):
    def test_tables_of_another_version_are_not_backed_up(self):
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'social_django' AND name LIKE '0022%%'")
        try:
            with pytest.raises(CommandError, match="not those of this version"):
                call_command("backup", "/nowhere/site.zip")
        finally:
            call_command("migrate", "social_django", fake=True, verbosity=0)
