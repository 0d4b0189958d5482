from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def mark(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Nobody sets up a second factor before the address is proven, so these were before staff changed it."""
    people = apps.get_model("account", "User").objects.using(schema_editor.connection.alias)
    people.filter(email_proven_at=None, has_second_factor=True).update(was_proven=True)


class Migration(migrations.Migration):
    dependencies = [
        ("account", "0006_google_taken_off"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="was_proven",
            field=models.BooleanField(
                default=False,
                editable=False,
                help_text="Before staff changed it.",
                verbose_name="an earlier address was proven",
            ),
        ),
        migrations.RunPython(mark, migrations.RunPython.noop),
    ]
