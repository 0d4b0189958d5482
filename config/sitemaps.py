"""
/sitemap.xml: an index of files, as many as the site needs, and /robots.txt.

Every app that has public pages offers Django `Sitemap` classes in its `sitemaps.py`; they are joined in config/urls.py.
Addresses begin with SITE_URL, whatever host was asked.
"""

from types import SimpleNamespace
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import http_date
from django.views.decorators.http import require_safe

from core.caching.memory import cached
from core.caching.pages import may_lag

type_sitemaps = dict[str, type[Sitemap]]


@require_safe
@may_lag
def sitemap_index(request: HttpRequest, sitemaps: type_sitemaps) -> HttpResponse:
    files = [
        {"location": settings.SITE_URL + reverse("sitemap_file", args=[section, number])}
        for section, sitemap in sitemaps.items()
        for number in range(1, _files_of(section, sitemap()) + 1)
    ]
    return render(request, "sitemap_index.xml", {"sitemaps": files}, content_type="application/xml; charset=utf-8")


def _files_of(section: str, sitemap: Sitemap) -> int:
    """Return how many files the section needs; rows are counted anew when some have changed only."""
    items = sitemap.items()
    if not isinstance(items, QuerySet):
        return sitemap.paginator.num_pages
    return cached(("sitemap", section), lambda: type(sitemap)().paginator.num_pages)


@require_safe
@may_lag
def sitemap_file(request: HttpRequest, sitemaps: type_sitemaps, section: str, number: int) -> HttpResponse:
    if section not in sitemaps:
        raise Http404
    sitemap = sitemaps[section]()
    if number not in sitemap.paginator.page_range:
        raise Http404
    origin = urlsplit(settings.SITE_URL)
    site = SimpleNamespace(domain=origin.netloc)
    urls = sitemap.get_urls(page=number, site=site, protocol=origin.scheme)  # type: ignore[arg-type]
    response = render(request, "sitemap.xml", {"urlset": urls}, content_type="application/xml; charset=utf-8")
    latest = getattr(sitemap, "latest_lastmod", None)
    if latest is not None:
        response["Last-Modified"] = http_date(latest.timestamp())
    return response


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    closed = ["/admin/", "/account/", "/cart/", "/orders/", "/payment/", "/search/", "/blog/search/", "/*/share/"]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed), ""]
    lines.append(f"Sitemap: {settings.SITE_URL}{reverse('sitemap')}")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
