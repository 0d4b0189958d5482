from django.utils.html import strip_tags

from search.registry import Entry

from .models import Product


def product_entry(product: Product) -> Entry:
    return Entry(
        title=product.name,
        url=product.get_absolute_url(),
        summary=product.summary,
        body=strip_tags(product.description_html),
        tags=product.category.name,
        public_from=product.created_at if product.is_on_show else None,
    )
