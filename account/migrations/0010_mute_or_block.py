import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def rename_permissions(apps, schema_editor):
    """Groups hold them by row: without this, a group would have rights of a name that nothing asks for."""
    for permission in apps.get_model("auth", "Permission").objects.filter(codename__endswith="_boundary"):
        permission.codename = permission.codename.replace("_boundary", "_muteorblock")
        permission.save(update_fields=["codename"])


class Migration(migrations.Migration):
    """Boundary has a name that says what it is; its table stays, so nothing is written."""

    dependencies = [("account", "0009_registrations"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [
        migrations.AlterModelTable("Boundary", "account_boundary"),
        migrations.RenameModel("Boundary", "MuteOrBlock"),
        migrations.AlterModelOptions(
            "MuteOrBlock",
            {"ordering": ["-id"], "verbose_name": "mute or block", "verbose_name_plural": "mutes and blocks"},
        ),
        migrations.AlterField(
            "MuteOrBlock",
            "owner",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="mutes_and_blocks",
                to=settings.AUTH_USER_MODEL,
                verbose_name="owner",
            ),
        ),
        migrations.AlterField(
            "MuteOrBlock",
            "other",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="muted_or_blocked_by",
                to=settings.AUTH_USER_MODEL,
                verbose_name="other",
            ),
        ),
        migrations.RunPython(rename_permissions, migrations.RunPython.noop),
    ]
