"""What scratch builds have found out, kept in files below .postgres/ that may be deleted at any time. Decides nothing.

A file that is damaged, of another format or not readable is as good as none; a folder that cannot be written is no
error: then nothing is remembered.
"""

import json
import os
import secrets
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from app.migrations.server import FOLDER as PRIVATE

FOLDER = "expected"
KEPT = 40
"""Files: a catalog of 300 tables takes about 0.5 MB."""


def load(root: Path, name: str) -> object | None:
    """Return the document that `save` kept under `name`, or None."""
    path = _folder(root) / name
    try:
        digest, _, text = path.read_bytes().partition(b"\n")
        if sha256(text).hexdigest().encode() != digest:
            return None
        document: object = json.loads(text)
    except (OSError, ValueError):
        return None
    with suppress(OSError):
        os.utime(path)  # what is in use is kept
    return document


def save(root: Path, name: str, document: object) -> None:
    """Keep a document under `name`, whole or not at all; forget what was not used for the longest time."""
    folder, text = _folder(root), json.dumps(document, separators=(",", ":")).encode()
    new = folder / f".{name}.{secrets.token_hex(4)}"
    with suppress(OSError):
        for place in (folder.parent, folder):
            _make(place)
        try:
            new.write_bytes(sha256(text).hexdigest().encode() + b"\n" + text)
            _give(new)
            new.replace(folder / name)
        finally:
            new.unlink(missing_ok=True)
        _prune(folder)


def _folder(root: Path) -> Path:
    return root.absolute() / PRIVATE / FOLDER


def _make(folder: Path) -> None:
    with suppress(FileExistsError):
        folder.mkdir(0o700)
        _give(folder)


def _give(path: Path) -> None:
    """As root, give what we made in a folder of somebody else to that somebody."""
    owner = path.parent.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.chown(path, owner.st_uid, owner.st_gid)


def _prune(folder: Path) -> None:
    files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[KEPT:]:
        path.unlink(missing_ok=True)
