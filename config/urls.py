from django.contrib import admin
from django.urls import include, path

from account.views.entry import admin_login
from blog.sitemaps import BlogSitemap, PostSitemap, TagSitemap
from core.stores import media
from images.sitemaps import ImageSitemap, PinboardSitemap
from shop.sitemaps import ProductSitemap, ShopSitemap

from . import sitemaps, views

SITEMAPS: sitemaps.type_sitemaps = {
    "blog": BlogSitemap,
    "posts": PostSitemap,
    "tags": TagSitemap,
    "shop": ShopSitemap,
    "products": ProductSitemap,
    "pinboard": PinboardSitemap,
    "images": ImageSitemap,
}

urlpatterns = [
    path("", views.home, name="home"),
    path("about/", views.about, name="about"),
    path("terms/", views.terms, name="terms"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("media/<path:name>", media.media, name="media"),
    path("robots.txt", sitemaps.robots, name="robots"),
    path("sitemap.xml", sitemaps.sitemap_index, {"sitemaps": SITEMAPS}, name="sitemap"),
    path("sitemap-<slug:section>-<int:number>.xml", sitemaps.sitemap_file, {"sitemaps": SITEMAPS}, name="sitemap_file"),
    path("admin/login/", admin_login, name="admin_login"),
    path("admin/", admin.site.urls),
    path("search/", include("search.urls")),
    path("blog/", include("blog.urls")),
    path("account/", include("account.auth_urls")),
    path("account/", include("account.urls")),
    path("social-auth/", include("account.google_urls")),
    path("images/", include("images.urls")),
    path("shop/", include("shop.urls")),
    path("cart/", include("cart.urls")),
    path("orders/", include("orders.urls")),
    path("payment/", include("payment.urls")),
]

handler400 = "core.web.errors.bad_request"
handler403 = "core.web.errors.permission_denied"
handler404 = "core.web.errors.page_not_found"
handler500 = "core.web.errors.server_error"
