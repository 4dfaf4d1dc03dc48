"""How one part of the statement that reads a schema is written down. Never runs it."""

from typing import NamedTuple

ENABLED = "'state', CASE {} WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replicas' WHEN 'A' THEN 'always' END"


class Part(NamedTuple):
    """One array of the answer: its name, mostly that of the catalog, and the expression of each element.

    `probe` names the rows without which the array is empty and need not be asked for; most schemas have few kinds.
    """

    section: str
    element: str
    source: str
    probe: str = ""

    @property
    def query(self) -> str:
        """Return the array as a column of the statement."""
        return f"(SELECT coalesce(json_agg({self.element}), '[]') {self.source})::text"


def row(  # noqa: PLR0913 -- these are the elements of the array
    oid: str, kind: str, name: str, properties: str, *, owner: str = "", acl: str = "", acl_kind: str = "",
    part: str = "0", whole: str = "NULL",
) -> str:  # fmt: skip
    """Return the expression of one array; `acl_kind` is the letter of acldefault()."""
    rights = "NULL, NULL, NULL"
    if owner:
        default = (
            f"CASE WHEN {acl} IS NOT NULL THEN acldefault({acl_kind}, {owner})::text[] END" if acl_kind else "NULL"
        )
        rights = f"pg_get_userbyid({owner}), {acl + '::text[]' if acl else 'NULL'}, {default}"
    return f"json_build_array({oid}, {part}, {kind}, {name}, json_build_object({properties}), {rights}, {whole})"
