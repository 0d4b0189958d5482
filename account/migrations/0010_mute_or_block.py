import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Boundary has a name that says what it is; its table stays, so nothing is written."""

    dependencies = [("account", "0009_registrations")]
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
    ]
