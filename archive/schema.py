"""Which migrations the tables and the archive are at, and bringing the first to the second."""

from django.apps.registry import Apps
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from .container import NotRestorable

Key = tuple[str, str]
# Apps that the site once had: what an older archive holds of them is left out.
GONE = frozenset({"axes", "easy_thumbnails", "taggit"})


def applied(using: str = "default") -> list[list[str]]:
    done = MigrationRecorder(connections[using]).applied_migrations()
    return sorted([app, name] for app, name in done if app not in GONE)


def must_be_current() -> None:
    """Refuse to back up tables that this code would not read as they are."""
    executor = MigrationExecutor(connections["default"])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotRestorable("The tables are not those of this version: run `manage.py migrate` first.")


class Version:
    """The state of the tables that an archive was made at."""

    def __init__(self, migrations: list[list[str]]) -> None:
        self.migrations: set[Key] = {(app, name) for app, name in migrations if app not in GONE}
        executor = MigrationExecutor(connections["default"])
        self._graph = executor.loader.graph
        # A migration that squashed others, or that an app has dropped since, is none of ours to judge.
        unknown = {key for key in self.migrations - set(self._graph.nodes) if key not in executor.loader.replacements}
        if unknown:
            app, name = min(unknown)
            raise NotRestorable(
                f"The archive was made by a newer version of the site (migration {app}.{name} is unknown here): "
                "install that version first."
            )

    def bring_tables_here(self) -> None:
        """Migrate forwards or back; only the rows of a site that is being replaced can be lost by the latter."""
        targets = self._targets()
        for _ in range(2):  # Django walks in one direction at a time
            executor = MigrationExecutor(connections["default"])
            plan = executor.migration_plan(targets)
            forwards = [(migration, back) for migration, back in plan if not back]
            executor.migrate(targets, plan=[step for step in plan if step[1]] or forwards)

    def _targets(self) -> list[tuple[str, str | None]]:
        targets: list[tuple[str, str | None]] = []
        for app in sorted({app for app, _ in self._graph.nodes}):
            names = {key for key in self.migrations if key[0] == app}
            last = [key for key in names if not any(child.key in names for child in self._graph.node_map[key].children)]
            targets += last or [(app, None)]
        return targets

    def models(self) -> Apps:
        """Return the models as they were at this version."""
        models: Apps = self._graph.make_state(nodes=sorted(self.migrations), at_end=True).apps
        return models


def bring_tables_up_to_date() -> None:
    call_command("migrate", interactive=False, verbosity=0)
