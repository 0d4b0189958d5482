"""
Media and private files in an S3-compatible store, for a site on several hosts.

Two buckets, because access is granted to a bucket: whoever opens the media to the world must not open invoices and
goods with them. Read by settings.py, so it imports nothing of Django that needs settings.
"""

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


def storages_in(*, media: str, private: str, media_url: str, **account: str) -> dict[str, dict[str, Any]]:
    """Return what STORAGES says of the two, or raise ImproperlyConfigured saying what would be lost or seen."""
    if not private:
        raise ImproperlyConfigured(
            "AWS_STORAGE_BUCKET_NAME is set and AWS_PRIVATE_BUCKET_NAME is not: invoices and goods would lie on one host "
            "only. Name a second bucket for them, without public access."
        )
    if private == media:
        raise ImproperlyConfigured(
            "AWS_PRIVATE_BUCKET_NAME and AWS_STORAGE_BUCKET_NAME are the same bucket: whoever may read the pictures "
            "could read the invoices. Name a bucket without public access."
        )
    if "://" not in media_url:
        raise ImproperlyConfigured(
            "AWS_STORAGE_BUCKET_NAME is set: MEDIA_URL_BASE has to say where a browser reads the bucket, such as "
            "https://cdn.example.com/"
        )
    shared = {**_account(**account), "default_acl": None, "file_overwrite": False, "client_config": _client()}
    place = urlsplit(media_url)
    public = {
        "bucket_name": media,
        "querystring_auth": False,
        "url_protocol": f"{place.scheme}:",
        "custom_domain": f"{place.netloc}{place.path}".rstrip("/"),
    }
    # Handed out by views only; a link that the admin shows is signed and short-lived.
    closed = {"bucket_name": private, "querystring_auth": True, "querystring_expire": 300}
    return {
        "default": {"BACKEND": "core.stores.mediabucket.MediaBucket", "OPTIONS": {**shared, **public}},
        "private": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {**shared, **closed}},
    }


def _account(*, endpoint: str, region: str, key: str, secret: str) -> dict[str, str | None]:
    """Leave out what is not set, for boto3 to find where the provider's machine offers it."""
    named = {"endpoint_url": endpoint, "region_name": region, "access_key": key, "secret_key": secret}
    return {name: value for name, value in named.items() if value}


def _client() -> Any:
    """A store that is away costs a page some seconds, not a minute; signatures of version 4 work everywhere."""
    from botocore.config import Config  # only a site with buckets has the library

    return Config(
        connect_timeout=2, read_timeout=10, retries={"max_attempts": 2, "mode": "standard"}, signature_version="s3v4"
    )


def errors() -> tuple[type[Exception], ...]:
    """Return what is raised when a place for files, bucket or disk, is away or refuses."""
    try:
        from botocore.exceptions import BotoCoreError, ClientError  # only a site with buckets has the library
    except ImportError:
        return (OSError,)
    return OSError, BotoCoreError, ClientError
