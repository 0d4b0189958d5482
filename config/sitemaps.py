"""
/sitemap.xml: an index of files, as many as the site needs, and /robots.txt.

Every app that has public pages offers Django `Sitemap` classes in its `sitemaps.py`; they are joined in config/urls.py.
Addresses begin with SITE_URL, whatever host was asked.
"""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import http_date
from django.utils.timezone import localdate
from django.views.decorators.http import require_safe

from core.caching.memory import cached
from core.caching.pages import may_lag
from core.web.links import path_to
from core.web.sitemaps import RowsSitemap, type_url

type_sitemaps = dict[str, type[Sitemap]]

XML = "application/xml; charset=utf-8"
# No template: of five thousand addresses it took three times as long as to read them.
FILE = """<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
{}
</urlset>
"""
URL = "<url><loc>{}{}</loc>{}</url>"


@require_safe
@may_lag
def sitemap_index(request: HttpRequest, sitemaps: type_sitemaps) -> HttpResponse:
    files = [
        {"location": settings.SITE_URL + path_to("sitemap_file", section, number)}
        for section, sitemap in sitemaps.items()
        for number in range(1, _files_of(section, sitemap()) + 1)
    ]
    return render(request, "sitemap_index.xml", {"sitemaps": files}, content_type=XML)


def _files_of(section: str, sitemap: Sitemap) -> int:
    """Return how many files the section needs; asked again when rows have changed only."""
    if isinstance(sitemap, RowsSitemap):
        return cached(("sitemap", section), sitemap.number_of_files)
    return sitemap.paginator.num_pages


@require_safe
@may_lag
def sitemap_file(request: HttpRequest, sitemaps: type_sitemaps, section: str, number: int) -> HttpResponse:
    if section not in sitemaps:
        raise Http404
    sitemap = sitemaps[section]()
    if not 1 <= number <= _files_of(section, sitemap):
        raise Http404
    urls = list(_urls(sitemap, number))
    body = format_html(
        FILE, format_html_join("\n", URL, ((settings.SITE_URL, path, _day(changed)) for path, changed in urls))
    )
    response = HttpResponse(body, content_type=XML)
    latest = max((changed for _path, changed in urls if changed), default=None)
    if latest is not None:
        response["Last-Modified"] = http_date(latest.timestamp())
    return response


def _urls(sitemap: Sitemap, number: int) -> Iterable[type_url]:
    if isinstance(sitemap, RowsSitemap):
        return sitemap.urls(number)
    return ((sitemap.location(item), None) for item in sitemap.paginator.page(number))


def _day(changed: datetime | None) -> str:
    return format_html("<lastmod>{}</lastmod>", localdate(changed).isoformat()) if changed else ""


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    closed = ["/admin/", "/account/", "/cart/", "/orders/", "/payment/", "/search/", "/blog/search/", "/*/share/"]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed), ""]
    lines.append(f"Sitemap: {settings.SITE_URL}{reverse('sitemap')}")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
