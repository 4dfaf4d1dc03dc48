"""Which revision made an object, told by the names in the sources. Never runs or imports a revision."""

import re
from collections.abc import Iterable

from app.migrations.build_inputs import Inputs
from app.migrations.catalog import Difference, Key
from app.migrations.catalog_names import holder, parts, plain


def maker(one: Difference, inputs: Inputs, applied: Iterable[str]) -> str | None:
    """Return the revision that speaks of the object: the first for one that is there or missing, the last for a change.

    `applied` are looked at in this order, the oldest first. A name that a naming convention has made is in no source:
    then it is the revision that speaks of the table.
    """
    key = Key(one.kind, one.object)
    table = holder(key)
    own = plain(parts(key.name)[-1]) if parts(key.name) else key.name
    names = [own, *([plain(parts(table)[-1])] if table and parts(table) else [])]
    order = list(applied) if one.attribute is None else list(applied)[::-1]
    for wanted in (names, names[1:]):
        if wanted:
            words = [re.compile(rf"(?<![\w]){re.escape(name)}(?![\w])".encode()) for name in wanted]
            for revision in order:
                if all(word.search(inputs.source(revision)) for word in words):
                    return revision
    return None
