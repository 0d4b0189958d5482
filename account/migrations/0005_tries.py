from django.db import IntegrityError, migrations, models, transaction

from mail.addresses import plain


def forget_failed_logins(apps, schema_editor):
    """
    Empty the tables in which django-axes counted failed logins until now: they hold names and addresses of people.

    The tables themselves stay, since processes of the former version may still be running.
    """
    with schema_editor.connection.cursor() as cursor:
        names = schema_editor.connection.introspection.table_names(cursor)
        for name in sorted((name for name in names if name.startswith("axes_")), key=len, reverse=True):
            cursor.execute(f"DELETE FROM {name}")


def write_addresses_plainly(apps, schema_editor):
    """One address is written one way since full-width letters and domains in other scripts are unified."""
    for pk, email in apps.get_model("account", "User").objects.values_list("pk", "email").iterator():
        if email != plain(email):
            try:
                with transaction.atomic():
                    apps.get_model("account", "User").objects.filter(pk=pk).update(email=plain(email))
            except IntegrityError:  # the other spelling is somebody's account already: a person has to decide
                print(f"Two accounts share the address {plain(email)}; member {pk} keeps another spelling of it.")


class Migration(migrations.Migration):

    dependencies = [
        ('account', '0004_sealed_secrets'),
    ]

    operations = [
        migrations.RunPython(forget_failed_logins, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(write_addresses_plainly, migrations.RunPython.noop, elidable=True),
        migrations.CreateModel(
            name='Tries',
            fields=[
                ('key', models.CharField(max_length=100, primary_key=True, serialize=False, verbose_name='what is guessed')),
                ('spent_until', models.PositiveBigIntegerField(help_text='In seconds since 1970.', verbose_name='all are back at')),
            ],
            options={
                'verbose_name': 'tries',
                'verbose_name_plural': 'tries',
                'indexes': [models.Index(fields=['spent_until'], name='tries_spent_until')],
            },
        ),
    ]
