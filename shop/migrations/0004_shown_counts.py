from django.db import migrations, models
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce


def count(apps, schema_editor):
    """Products that the former release shows or hides meanwhile are counted by shop.tasks.align_category_counts."""
    shown = apps.get_model("shop", "Product").objects.filter(is_on_show=True, category=OuterRef("pk")).order_by()
    number = shown.values("category").annotate(number=Count("pk")).values("number")
    apps.get_model("shop", "Category").objects.update(shown_count=Coalesce(Subquery(number), 0))


class Migration(migrations.Migration):
    dependencies = [("shop", "0003_is_on_show")]
    operations = [
        migrations.AddField(
            model_name="category",
            name="shown_count",
            field=models.IntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                condition=Q(("is_in_stock", False), ("is_on_show", True)),
                fields=["category"],
                name="product_category_sold_out",
            ),
        ),
        migrations.RunPython(count, migrations.RunPython.noop, elidable=True),
    ]
