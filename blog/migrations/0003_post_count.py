from django.db import migrations


class Migration(migrations.Migration):
    """Tally has a name that says what it counts; its table stays, so nothing is written."""

    dependencies = [("blog", "0002_long_lists")]
    operations = [
        migrations.AlterModelTable("Tally", "blog_tally"),
        migrations.RenameModel("Tally", "PostCount"),
        migrations.AlterModelOptions(
            "PostCount", {"verbose_name": "number of posts", "verbose_name_plural": "numbers of posts"}
        ),
    ]
