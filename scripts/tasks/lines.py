"""Lines of text with colours where a terminal shows them. Prints; rich is loaded for a terminal alone."""

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

Part = str | tuple[str, str]
"""A piece of a line, or a piece and its style in rich's words."""
FORCING = ("FORCE_COLOR", "TTY_COMPATIBLE")
"""What tells rich that something else than a terminal wants colours; loading rich takes longer than a small upgrade."""


def say(*parts: Part, console: "Console | None" = None) -> None:
    """Print one line on stdout, or on `console`; nothing is cut, folded or read as markup."""
    if console is None and not _wants_colour():
        print("".join(part if isinstance(part, str) else part[0] for part in parts))
        return
    from rich.console import Console
    from rich.text import Text

    (console or Console(highlight=False, soft_wrap=True)).print(Text.assemble(*parts))


def _wants_colour() -> bool:
    return sys.stdout.isatty() or any(os.environ.get(name) for name in FORCING)
