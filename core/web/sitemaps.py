from django.contrib.sitemaps import Sitemap


class RowsSitemap(Sitemap):
    """The addresses of rows, of which there may be many."""

    limit = 5000  # the protocol allows 50,000; smaller files are made in less memory and time
