"""What the README shows is what the tools print; `…` stands for what differs from run to run."""

import re
from pathlib import Path

from tests.clones import Clone

ROOT = Path(__file__).resolve().parents[1]
REVISION = "0c1d2e3f4a5b_index_tenants_name.py"


def test_the_output_in_the_readme_is_real(clone: Clone, database: str) -> None:
    section = (ROOT / "README.md").read_text().split("## What it looks like")[1].split("\n## ")[0]
    blocks = re.findall(r"```(\w+)\n(.*?)```", section, re.S)
    assert [language for language, _ in blocks] == ["console", "python", "console", "console"]
    (clone.folder / ".env").write_text(f"DATABASE_URL={database}\n")
    for language, text in blocks:
        if language == "python":
            (clone.versions / REVISION).write_text(text)
            continue
        command, _, shown = text.partition("\n")
        done = clone.inv(*command.removeprefix("$ inv ").split(), ok=False)
        shown = shown.replace('database "massacorp" on the private server', "…")
        pattern = ".*?".join(re.escape(part) for part in shown.split("…"))
        assert re.fullmatch(pattern, done.out, re.S), f"{command}\n{done.out}{done.err}"
