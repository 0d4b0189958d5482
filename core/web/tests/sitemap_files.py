from django.db.models import Model

from core.web.sitemaps import RowsSitemap


def file_of(row: Model, limit: int = RowsSitemap.limit) -> int:
    """Return the number of the sitemap's file that names the row, if any does."""
    return (row.pk - 1) // limit + 1
