"""
The rows keep the hash of a session's key from here on.

Those from before hold the key itself, and have stood in addresses of the admin: everybody logs in once more.
"""

from django.db import migrations, models


def end_all(apps, schema_editor):
    apps.get_model("account", "Session").objects.all().delete()


class Migration(migrations.Migration):

    dependencies = [
        ('account', '0002_long_lists'),
    ]

    operations = [
        migrations.RunPython(end_all, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            model_name='session',
            name='session_key',
            field=models.CharField(max_length=64, primary_key=True, serialize=False, verbose_name='hash of the key'),
        ),
        migrations.RunPython(migrations.RunPython.noop, end_all, elidable=True),
    ]
