from django.db import migrations, models

INDEXES = {
    "newest": ["-id"],
    "by_price": ["price", "id"],
    "by_name": ["name", "id"],
}


def indexes(field):
    for prefix, of in (("list", []), ("category", ["category"])):
        for name, order in INDEXES.items():
            fields = [*of, *order, "is_in_stock"]
            yield models.Index(fields=fields, condition=models.Q((field, True)), name=f"product_{prefix}_{name}")


class Migration(migrations.Migration):
    """`available` has a name that says what it means; its column and its indexes stay, so nothing is written."""

    dependencies = [("shop", "0002_long_lists")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                *(migrations.RemoveIndex("product", index.name) for index in indexes("available")),
                migrations.AlterField(
                    "product",
                    "available",
                    models.BooleanField(db_column="available", default=True, verbose_name="on show"),
                ),
                migrations.RenameField("product", "available", "is_on_show"),
                *(migrations.AddIndex("product", index) for index in indexes("is_on_show")),
            ]
        ),
    ]
