"""The table of contents of every workflow; the bodies are in scripts/tasks/, by topic."""

from invoke.collection import Collection

from scripts.tasks import changes, development, revisions, servers, standing

db = Collection(
    "db",
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
)
namespace = Collection(db, development.lint, development.test)
