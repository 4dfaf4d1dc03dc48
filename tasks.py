"""The table of contents of every workflow; the bodies are in scripts/tasks/, by topic."""

from invoke.collection import Collection

from scripts.tasks import (
    backup,
    backups,
    changes,
    development,
    doctoring,
    environments,
    restore,
    revisions,
    servers,
    standing,
    verifying,
)

db = Collection(
    "db",
    backup.backup,
    backup.prove_,
    backups.backups,
    backups.prune,
    doctoring.doctor,
    doctoring.repair,
    restore.restore,
    changes.downgrade,
    changes.stamp,
    changes.upgrade,
    standing.journal,
    standing.status,
    revisions.current,
    revisions.heads,
    revisions.history,
    revisions.merge,
    revisions.revision,
    servers.stop,
    verifying.adopt,
    verifying.verify,
)
env = Collection("env", environments.check, environments.claim, environments.list_, environments.show)
namespace = Collection(db, env, development.bench, development.lint, development.test)
