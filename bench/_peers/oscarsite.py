"""A shop on django-oscar with the same products, its own pages and templates, for bench/peers.py."""

import os
from collections.abc import Iterator
from typing import Any

from serve import configure

APPS = "analytics checkout address shipping catalogue communication partner basket payment offer order customer search"
APPS += " voucher wishlists dashboard"
DASHBOARDS = "reports users orders catalogue offers partners pages ranges reviews vouchers communications shipping"


def prepare(rows: int) -> tuple[Any, dict[str, tuple[str, Iterator[str]]]]:
    import oscar.defaults

    defaults = {name: getattr(oscar.defaults, name) for name in dir(oscar.defaults) if name.startswith("OSCAR_")}
    apps = ["django.contrib.sites", "django.contrib.flatpages", "oscar.config.Shop"]
    apps += [f"oscar.apps.{name}.apps.{name.title()}Config" for name in APPS.split()]
    apps += ["oscar.apps.catalogue.reviews.apps.CatalogueReviewsConfig"]
    apps += [f"oscar.apps.dashboard.{name}.apps.{name.title()}DashboardConfig" for name in DASHBOARDS.split()]
    # Its catalogue is read from a search index; this is the one its own sandbox has.
    index = {"ENGINE": "haystack.backends.whoosh_backend.WhooshEngine", "PATH": f"{os.environ['PEER_FOLDER']}/index"}
    configure(
        os.environ["PEER_FOLDER"],
        APPS=[*apps, "widget_tweaks", "haystack", "treebeard", "sorl.thumbnail", "django_tables2"],
        ROOT_URLCONF="oscarurls",
        SITE_ID=1,
        MORE_MIDDLEWARE=["oscar.apps.basket.middleware.BasketMiddleware"],
        PROCESSORS=[
            f"oscar.{name}"
            for name in (
                "apps.search.context_processors.search_form",
                "apps.checkout.context_processors.checkout",
                "apps.communication.notifications.context_processors.notifications",
                "core.context_processors.metadata",
            )
        ],
        HAYSTACK_CONNECTIONS={"default": index},
        **defaults,
    )
    from django.core.handlers.wsgi import WSGIHandler
    from django.core.management import call_command

    products = fill(rows)
    call_command("update_index", verbosity=0)
    lists = map("/catalogue/?page={}".format, range(2, rows // 20))
    repeat, *others = [product.get_absolute_url() for product in products]
    return WSGIHandler(), {"catalogue": ("/catalogue/", lists), "product": (repeat, iter(others))}


def fill(rows: int) -> list[Any]:
    from oscar.core.loading import get_model

    model, category = get_model("catalogue", "Product"), get_model("catalogue", "Category")
    kind = get_model("catalogue", "ProductClass").objects.create(name="Print")
    partner = get_model("partner", "Partner").objects.create(name="Atelier")
    get_model("address", "Country").objects.create(iso_3166_1_a2="DE", name="Germany", is_shipping_country=True)
    categories = [category.add_root(name=f"Prints {n}", slug=f"prints-{n}") for n in range(8)]
    products = model.objects.bulk_create(
        model(product_class=kind, title=f"P {n}", slug=f"p-{n}", structure="standalone") for n in range(rows)
    )
    through = get_model("catalogue", "ProductCategory")
    through.objects.bulk_create(through(product=one, category=categories[n % 8]) for n, one in enumerate(products))
    stock = get_model("partner", "StockRecord")
    stock.objects.bulk_create(
        stock(product=one, partner=partner, partner_sku=f"p-{n}", price=9, num_in_stock=n % 9)
        for n, one in enumerate(products)
    )
    return products
