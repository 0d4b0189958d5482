from django.db import migrations

from search.operations import MakeSearchable


class Migration(migrations.Migration):
    dependencies = [("search", "0001_initial")]

    operations = [MakeSearchable()]
