"""Commands may hold secrets, so they are kept encrypted, also those from before."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from apps.core.sealing import seal_text

PURPOSE = "webpanel commands"


def seal(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Encrypt what is there."""
    operation = apps.get_model("operations", "Operation")
    for row in operation.objects.only("pk", "command_sealed").iterator():
        sealed = seal_text(row.command_sealed, PURPOSE)
        operation.objects.filter(pk=row.pk).update(command_sealed=sealed)


class Migration(migrations.Migration):
    dependencies = [("operations", "0002_longer_targets")]

    operations = [
        migrations.RenameField("operation", "command_json", "command_sealed"),
        migrations.AlterField("operation", "command_sealed", models.TextField()),
        migrations.RunPython(seal, migrations.RunPython.noop),
    ]
