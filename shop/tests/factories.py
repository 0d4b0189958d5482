import itertools
from decimal import Decimal
from typing import Any

from django.core.files.base import ContentFile

from content.tests.picture_files import picture_bytes
from shop.models import Category, Product, ProductPicture

_numbers = itertools.count(1)


def make_category(name: str = "", **fields: Any) -> Category:
    number = next(_numbers)
    return Category.objects.create(**{"name": name or f"Category {number}", "slug": f"category-{number}", **fields})


def make_product(name: str = "", *, category: Category | None = None, **fields: Any) -> Product:
    number = next(_numbers)
    values = {
        "name": name or f"Product {number}",
        "slug": f"product-{number}",
        "price": Decimal("12.50"),
        "vat_rate": Decimal("19.00"),
        "category": category or Category.objects.first() or make_category(),
    }
    return Product.objects.create(**{**values, **fields})


def make_picture(product: Product, *, alt: str = "A vase", **fields: Any) -> ProductPicture:
    picture = ProductPicture(product=product, alt=alt, **fields)
    picture.file.save("vase.png", ContentFile(picture_bytes("PNG", (64, 48))), save=True)
    return picture
