"""Against a server that speaks S3 over HTTP, and that refuses what is not signed when the bucket is not public."""

import json
from io import StringIO

import boto3
import pytest
import requests
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.core.management import CommandError, call_command
from django.test import TestCase, override_settings
from django.urls import reverse
from moto.server import ThreadedMotoServer

from account.tests.factories import make_user
from archive.tests.test_backup import BackupCase
from content.orphans import walk
from core.stores.buckets import storages_in
from images.tests.factories import make_image
from orders import invoice
from orders.models import Invoice
from orders.tests.factories import make_order

LOGIN = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}


def may_read(bucket: str) -> str:
    """Return the policy that opens a bucket to everybody."""
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [everybody]})


def settings_for(url: str, **changes: str) -> dict:
    account = {"endpoint": url, "region": "us-east-1", "key": "key", "secret": "secret"}
    return storages_in(**{"media": "media", "private": "papers", "media_url": f"{url}/media/", **account, **changes})


class BucketCase:
    @classmethod
    def setUpClass(cls):
        cls.server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        cls.server.start()
        cls.url = "http://{}:{}".format(*cls.server.get_host_and_port())
        cls.enterClassContext(override_settings(STORAGES={**cls.others(), **settings_for(cls.url)}))
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.server.stop()

    @staticmethod
    def others() -> dict:
        return {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}

    def setUp(self):
        requests.post(f"{self.url}/moto-api/reset", timeout=10)
        self.store = boto3.client("s3", endpoint_url=self.url, **LOGIN)
        for bucket in ("media", "papers"):
            self.store.create_bucket(Bucket=bucket)
        self.store.put_bucket_policy(Bucket="media", Policy=may_read("media"))
        super().setUp()

    def keys(self, bucket: str) -> set[str]:
        return {entry["Key"] for entry in self.store.list_objects_v2(Bucket=bucket).get("Contents", [])}


class WhereFilesGoTests(BucketCase, TestCase):
    def test_picture_and_its_thumbnails_are_media_with_addresses_of_the_cdn(self):
        image = make_image(owner=make_user("alice"), stored=True)

        assert image.file.name in self.keys("media")
        assert len(self.keys("media")) > 1
        assert self.keys("papers") == set()
        assert image.file.url == f"{self.url}/media/{image.file.name}"
        page = self.client.get(image.get_absolute_url()).content.decode()
        assert f"{self.url}/media/images/" in page
        assert "Signature" not in page

    def test_caches_on_the_way_keep_the_pictures_of_the_shop_and_none_of_members(self):
        kept = {}
        for folder in ("images", "people", "posts", "products"):
            name = default_storage.save(f"{folder}/a.txt", ContentFile(b"x"))
            kept[folder] = self.store.head_object(Bucket="media", Key=name)["CacheControl"].partition(",")[0]

        assert kept == {"images": "private", "people": "private", "posts": "public", "products": "public"}

    def test_invoice_is_private_and_reaches_its_buyer_through_the_site(self):
        order = make_order(paid=True)
        paper = Invoice.objects.get()

        answer = self.client.get(reverse("orders:order_invoice", args=[order.token, paper.label]))

        assert answer.status_code == 200
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert content.startswith(b"%PDF")
        paper.refresh_from_db()
        assert self.keys("papers") == {paper.pdf}
        assert self.keys("media") == set()

    def test_invoice_whose_file_is_gone_is_made_again(self):
        make_order(paid=True)
        paper = Invoice.objects.get()
        invoice.pdf(paper)
        self.store.delete_object(Bucket="papers", Key=paper.pdf)

        with self.assertLogs("orders.invoice", "ERROR"):
            assert invoice.pdf(paper).startswith(b"%PDF")

    def test_link_to_a_private_file_is_signed_and_short_lived(self):
        name = storages["private"].save("downloads/a/book.pdf", ContentFile(b"x"))

        address = storages["private"].url(name)

        assert "X-Amz-Signature" in address
        assert "X-Amz-Expires=300" in address

    def test_same_name_twice_is_two_files(self):
        first, second = (default_storage.save("posts/a.txt", ContentFile(text)) for text in (b"1", b"2"))

        assert first != second
        assert set(walk("posts")) == {first, second}


class CheckFilesTests(BucketCase, TestCase):
    def check(self) -> str:
        out = StringIO()
        call_command("check_files", stdout=out)
        return out.getvalue()

    def test_good_buckets_are_found_good_and_left_as_they_were(self):
        assert "Strangers cannot read those" in self.check()

        assert self.keys("media") == self.keys("papers") == set()

    def test_media_that_browsers_cannot_read_are_told(self):
        wrong = {**self.others(), **settings_for(self.url, media_url=f"{self.url}/nowhere/")}
        with override_settings(STORAGES=wrong), pytest.raises(CommandError, match="MEDIA_URL_BASE"):
            self.check()

    def test_private_bucket_that_anybody_can_read_is_told(self):
        self.store.put_bucket_policy(Bucket="papers", Policy=may_read("papers"))

        with pytest.raises(CommandError, match="Close that bucket now"):
            self.check()

        assert self.keys("papers") == set()

    def test_store_that_is_away_is_told(self):
        away = {**self.others(), **settings_for("http://127.0.0.1:1")}
        with override_settings(STORAGES=away), pytest.raises(CommandError, match="Could not connect"):
            self.check()


class BackupTests(BucketCase, BackupCase):
    def test_files_in_buckets_are_backed_up_and_come_back(self):
        make_user("alice")
        default_storage.save("images/a.png", ContentFile(b"picture"))
        storages["private"].save("invoices/2026/a.pdf", ContentFile(b"%PDF"))
        self.backup()
        self.store.delete_object(Bucket="media", Key="images/a.png")
        default_storage.save("images/left-over.png", ContentFile(b"x"))

        self.restore(force=True)

        assert self.keys("media") == {"images/a.png"}
        assert self.store.get_object(Bucket="media", Key="images/a.png")["Body"].read() == b"picture"
        assert self.keys("papers") == {"invoices/2026/a.pdf"}


class SettingsTests(TestCase):
    def refused(self, **changes: str) -> str:
        with pytest.raises(ImproperlyConfigured) as refusal:
            settings_for("https://s3.example", **changes)
        return str(refusal.value)

    def test_private_files_need_a_bucket_of_their_own(self):
        assert "AWS_PRIVATE_BUCKET_NAME is not" in self.refused(private="")
        assert "same bucket" in self.refused(private="media")

    def test_browsers_need_an_address(self):
        assert "MEDIA_URL_BASE" in self.refused(media_url="/media/")
