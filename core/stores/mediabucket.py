"""The bucket that pictures lie in: the store sends with each what a cache may do with it."""

from typing import Any

from storages.backends.s3 import S3Storage

from .media import cache_control


class MediaBucket(S3Storage):
    def get_object_parameters(self, name: str) -> dict[str, Any]:
        return {**super().get_object_parameters(name), "CacheControl": cache_control(name)}
