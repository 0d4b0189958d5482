"""The catalogue and what hangs on it."""

from .alerts import StockAlert
from .bought_together import Basket, BoughtTogether
from .cards import Card, Cover
from .products import Category, Product, ProductPicture, ProductQuerySet, choose_cover

__all__ = [
    "Basket",
    "BoughtTogether",
    "Card",
    "Category",
    "Cover",
    "Product",
    "ProductPicture",
    "ProductQuerySet",
    "StockAlert",
    "choose_cover",
]
