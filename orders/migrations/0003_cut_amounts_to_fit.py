"""
Bring amounts that do not fit their columns within them, so that the next migration can hold them to it.

SQLite took an order of a milliard or more and could not read it again. Nobody can have paid one. It is cancelled if it
still waits, its pieces go back on the shelf, its amounts are cut to the most a column holds, and its history says what
stood there. `manage.py audit_books` names it from then on, as its parts are no longer its total.
"""

from decimal import Decimal

from django.db import migrations
from django.db.models import CharField, F, Q
from django.db.models.functions import Cast

MOST = Decimal("999999999.999")
AMOUNTS = ("subtotal", "discount", "shipping", "total", "vat")
WAITING = ("awaiting_payment", "processing")


def cut_amounts(apps, schema_editor):
    Order = apps.get_model("orders", "Order")
    odd = Q()
    for name in AMOUNTS:
        odd |= Q(**{f"{name}__gt": MOST}) | Q(**{f"{name}__lt": 0})
    # As text: read as numbers they would end the migration.
    written = {f"{name}_text": Cast(name, CharField(max_length=60)) for name in AMOUNTS}
    for row in Order.objects.filter(odd).annotate(**written).values("pk", "status", "holds_stock", *written):
        if row["status"] in WAITING:
            cancel(apps, row)
        note = ", ".join(f"{name} {row[f'{name}_text']}" for name in AMOUNTS)
        apps.get_model("orders", "OrderEvent").objects.create(
            order_id=row["pk"], note=f"Amounts that could not be were cut: {note}"[:300]
        )
    for model, names in (("Order", AMOUNTS), ("OrderLine", ["unit_price"]), ("Invoice", ["total"])):
        for name in names:
            rows = apps.get_model("orders", model).objects
            rows.filter(**{f"{name}__gt": MOST}).update(**{name: MOST})
            rows.filter(**{f"{name}__lt": 0}).update(**{name: 0})


def cancel(apps, row):
    if row["holds_stock"]:
        lines = apps.get_model("orders", "OrderLine").objects.filter(order_id=row["pk"])
        for product_id, quantity in lines.values_list("product_id", "quantity"):
            products = apps.get_model("shop", "Product").objects.filter(pk=product_id, stock__isnull=False)
            products.update(stock=F("stock") + quantity)
    apps.get_model("orders", "Order").objects.filter(pk=row["pk"]).update(status="cancelled", holds_stock=False)


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_vat_tracking_and_late_withdrawals"), ("shop", "0001_initial")]

    operations = [migrations.RunPython(cut_amounts, migrations.RunPython.noop)]
