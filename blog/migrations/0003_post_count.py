from django.db import migrations


def rename_permissions(apps, schema_editor):
    """Groups hold them by row: without this, a group would have rights of a name that nothing asks for."""
    for permission in apps.get_model("auth", "Permission").objects.filter(codename__endswith="_tally"):
        permission.codename = permission.codename.replace("_tally", "_postcount")
        permission.save(update_fields=["codename"])


class Migration(migrations.Migration):
    """Tally has a name that says what it counts; its table stays, so nothing is written."""

    dependencies = [("blog", "0002_long_lists"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [
        migrations.AlterModelTable("Tally", "blog_tally"),
        migrations.RenameModel("Tally", "PostCount"),
        migrations.AlterModelOptions(
            "PostCount", {"verbose_name": "number of posts", "verbose_name_plural": "numbers of posts"}
        ),
        migrations.RunPython(rename_permissions, migrations.RunPython.noop),
    ]
