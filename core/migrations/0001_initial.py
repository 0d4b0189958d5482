import django.db.models.functions.datetime
from django.db import migrations, models

MOVED = {"config.tasks.sweep_orphans": "content.tasks.sweep_orphans", "config.tasks.refresh_statistics": "core.tasks.refresh_statistics"}


def rename_sweeps(apps, schema_editor):
    """A sweep that has just run is not due again only because its module moved."""
    SweepRun = apps.get_model("core", "SweepRun")
    for old, new in MOVED.items():
        for run in SweepRun.objects.filter(name=old):
            SweepRun.objects.filter(name=old).delete()
            SweepRun.objects.update_or_create(name=new, defaults={"due_at": run.due_at, "ended_at": run.ended_at, "has_failed": run.has_failed})


def move_content_type(apps, schema_editor):
    """Permissions that groups have, and what the admin has logged, hang on it."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    ContentType.objects.filter(app_label="config", model="sweeprun").update(app_label="core")


class Migration(migrations.Migration):
    """The table stays as it is (config 0001 and 0002 made it); only whose it is changes."""

    initial = True
    dependencies = [("config", "0003_demo_content"), ("contenttypes", "0002_remove_content_type_name")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="SweepRun",
                    fields=[
                        ("name", models.CharField(max_length=100, primary_key=True, serialize=False, verbose_name="name")),
                        ("due_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="due at")),
                        ("ended_at", models.DateTimeField(null=True, verbose_name="ended at")),
                        ("has_failed", models.BooleanField(default=False, verbose_name="failed")),
                    ],
                    options={
                        "verbose_name": "sweep",
                        "verbose_name_plural": "sweeps",
                        "db_table": "config_sweeprun",
                        "ordering": ["name"],
                    },
                ),
            ]
        ),
        migrations.RunPython(rename_sweeps, migrations.RunPython.noop),
        migrations.RunPython(move_content_type, migrations.RunPython.noop),
    ]
