"""The catalogue and what hangs on it."""

from .alerts import StockAlert
from .products import Category, Product, ProductPicture, ProductQuerySet, choose_cover
from .together import Basket, BoughtTogether

__all__ = [
    "Basket",
    "BoughtTogether",
    "Category",
    "Product",
    "ProductPicture",
    "ProductQuerySet",
    "StockAlert",
    "choose_cover",
]
