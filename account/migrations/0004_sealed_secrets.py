"""
Secrets of the second factor become ciphertext, and those that are locked out without one get in again.

The text is sealed between two changes of the column: before the first it has no room, after the second it is unreadable.
"""

from django.db import migrations, models

import core.stores.sealed


def seal(apps, schema_editor):
    field = core.stores.sealed.SealedField()
    for name, column in (("SecondFactor", "secret"), ("RecoveryCode", "digest")):
        rows = apps.get_model("account", name).objects.all()
        for pk, text in rows.values_list("pk", column):
            rows.filter(pk=pk).update(**{column: field.get_prep_value(text)})


def open_again(apps, schema_editor):
    field = core.stores.sealed.SealedField()
    for name, column in (("SecondFactor", "secret"), ("RecoveryCode", "digest")):
        rows = apps.get_model("account", name).objects.all()
        for pk, text in rows.values_list("pk", column):
            rows.filter(pk=pk).update(**{column: field.from_db_value(text, None, None)})


def let_in_whose_factor_is_gone(apps, schema_editor):
    people = apps.get_model("account", "User").objects.filter(has_second_factor=True)
    people.exclude(second_factor__confirmed_at__isnull=False).update(has_second_factor=False)


class Migration(migrations.Migration):
    dependencies = [
        ("account", "0003_hashed_sessions"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="recoverycode", name="recovery_code_once"),
        migrations.AlterField("secondfactor", "secret", models.TextField(verbose_name="secret")),
        migrations.AlterField("recoverycode", "digest", models.TextField(verbose_name="hash")),
        migrations.RunPython(seal, open_again),
        migrations.AlterField("secondfactor", "secret", core.stores.sealed.SealedField(verbose_name="secret")),
        migrations.AlterField("recoverycode", "digest", core.stores.sealed.SealedField(verbose_name="hash")),
        migrations.RunPython(let_in_whose_factor_is_gone, migrations.RunPython.noop, elidable=True),
    ]
