"""The table of contents of every workflow; the bodies are in scripts/tasks/, by topic."""

from invoke.collection import Collection

from scripts.tasks import (
    backup,
    backups,
    changes,
    checks,
    development,
    doctoring,
    drawing,
    environments,
    joining,
    planning,
    rehearsing,
    restore,
    revisions,
    roundtrip,
    servers,
    serving,
    setup,
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
    drawing.diagram,
    restore.restore,
    changes.downgrade,
    changes.stamp,
    changes.upgrade,
    checks.check,
    joining.merge,
    joining.rebase,
    standing.journal,
    standing.status,
    revisions.current,
    revisions.heads,
    revisions.history,
    revisions.revision,
    roundtrip.roundtrip,
    planning.plan,
    rehearsing.rehearse,
    servers.stop,
    verifying.adopt,
    verifying.verify,
)
env = Collection("env", environments.check, environments.claim, environments.list_, environments.show)
namespace = Collection(db, env, development.bench, development.lint, serving.serve, setup.setup, development.test)
