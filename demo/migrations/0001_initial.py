from django.db import migrations, models


def move_content_type(apps, schema_editor):
    ContentType = apps.get_model("contenttypes", "ContentType")
    ContentType.objects.filter(app_label="config", model="democontent").update(app_label="demo")


class Migration(migrations.Migration):
    """The table stays as it is (config 0003 made it); only whose it is changes."""

    initial = True
    dependencies = [("config", "0003_demo_content"), ("contenttypes", "0002_remove_content_type_name")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="DemoContent",
                    fields=[
                        ("model", models.CharField(max_length=100, primary_key=True, serialize=False, verbose_name="model")),
                        ("last_id", models.BigIntegerField(verbose_name="last number")),
                    ],
                    options={
                        "verbose_name": "demo content",
                        "verbose_name_plural": "demo content",
                        "db_table": "config_democontent",
                    },
                ),
            ]
        ),
        migrations.RunPython(move_content_type, migrations.RunPython.noop),
    ]
