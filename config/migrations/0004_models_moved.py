from django.db import migrations


class Migration(migrations.Migration):
    """SweepRun is core's and DemoContent demo's; the tables stay."""

    dependencies = [("config", "0003_demo_content"), ("core", "0001_initial"), ("demo", "0001_initial")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.DeleteModel("SweepRun"), migrations.DeleteModel("DemoContent")]
        ),
    ]
