"""Claiming a database keeps out of the way of migrations."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.migrations import claims
from app.migrations.advisory import KEY
from app.migrations.errors import Refused
from tests.migrations.chains import session
from tests.migrations.test_guard import owner
from tests.roads import target


def test_a_claim_waits_for_the_migration_lock(root: Path, migrated: str) -> None:
    engine, meant = create_engine(migrated, poolclass=NullPool), target(migrated)
    meant = meant._replace(environment=replace(meant.environment, upgrade_wait=timedelta(0)))
    claim = claims.examine(engine, meant, root)
    with session(migrated, "massacorp-migrations/docker/lock") as other:
        other.execute("SELECT pg_advisory_lock(%s)", (KEY,))
        with pytest.raises(Refused, match="another migration of this database, massacorp-migrations/docker"):
            claims.apply(claim, engine, root)
    assert owner(migrated) is None
    claims.apply(claim, engine, root)
    assert owner(migrated) == ("docker", False)
