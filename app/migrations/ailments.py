"""All that the doctor recognises, in the order in which cures work: what stands first keeps later ones from working."""

from collections.abc import Callable, Iterable

from app.migrations import ailments_of_access as access
from app.migrations import ailments_of_code as code
from app.migrations import ailments_of_schema as schema
from app.migrations import ailments_of_version as version
from app.migrations.diagnosis import Finding
from app.migrations.symptoms import Symptoms

ALL: tuple[Callable[[Symptoms], Iterable[Finding]], ...] = (
    code.unusable_environment,
    code.unusable_settings,
    code.unreadable_file,
    code.duplicate_id,
    code.missing_parent,
    code.cycle,
    code.clashing_label,
    access.unreachable,
    access.pooler,
    access.old_server,
    access.read_only,
    access.wrong_identity,
    access.migration_at_work,
    access.orphan,
    access.locked_version,
    access.prepared_transaction,
    version.version_elsewhere,
    version.no_schema,
    access.missing_right,
    version.unknown_revision,
    code.several_heads,
    schema.invalid_index,
    version.half_applied,
    schema.edited_revision,
    version.no_version,
    version.several_rows,
    schema.unvalidated_constraint,
    schema.drift,
    version.behind,
    access.restore_leftover,
)


def diagnose(seen: Symptoms) -> tuple[Finding, ...]:
    """Return what is wrong, in the order in which to cure it."""
    return tuple(finding for ailment in ALL for finding in ailment(seen))
