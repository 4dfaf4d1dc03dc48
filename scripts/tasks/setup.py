"""The task setup: the git hooks, and what a shell needs to complete commands."""

from invoke.context import Context

from scripts.tasks.command import ROOT, command

SHELLS = {"zsh": "~/.zshrc", "fish": "~/.config/fish/config.fish", "bash": "~/.bashrc"}


@command()
def setup(c: Context) -> None:
    """Install the git hooks, and say how to complete commands."""
    import subprocess
    import sys

    _check_repository()
    install = [sys.executable, "-m", "pre_commit", "install", "--allow-missing-config"]
    done = subprocess.run(install, cwd=ROOT, check=False)
    if done.returncode:
        raise SystemExit(1)
    _say_completion()


def _check_repository() -> None:
    """Raise ConfigurationError where pre-commit cannot install hooks for this tree."""
    from app.migrations.errors import ConfigurationError

    top, path = _git("rev-parse", "--show-toplevel"), _git("config", "--show-scope", "--get", "core.hooksPath")
    if not top:
        raise ConfigurationError(
            f"{ROOT} is not in a git repository that git can read; no hooks were installed",
            "git init && inv setup, or work in a clone",
        )
    if (ROOT / ".git").resolve() != (type(ROOT)(top) / ".git").resolve():
        raise ConfigurationError(
            f"{ROOT} is part of the repository {top}, whose hooks are its own; none were installed",
            f"name the hooks of {ROOT.name}/.pre-commit-hooks.yaml in {top}/.pre-commit-config.yaml",
        )
    if path:
        scope, _, value = path.partition("\t")
        raise ConfigurationError(
            f"core.hooksPath is {value} ({scope}): git runs the hooks there and no others; none were installed",
            f"git config --{scope} --unset-all core.hooksPath && inv setup",
        )


def _git(*words: str) -> str:
    """Return what git answers at the root, "" where it is not content."""
    import subprocess

    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _say_completion() -> None:
    """Say what to add to the start of the shell; nothing outside this folder is changed."""
    import os

    shell = os.path.basename(os.environ.get("SHELL", ""))  # noqa: PTH119 -- a name, not a path
    shell = shell if shell in SHELLS else "bash"
    script = f"inv --print-completion-script={shell}"
    # Invoke's script for fish completes `invoke` alone.
    fish = f"{script} | source; complete --command inv --wraps invoke"
    line = fish if shell == "fish" else f'eval "$({script})"'
    print(f"for completion of tasks and options, with .venv/bin on the PATH, add to {SHELLS[shell]}:\n  {line}")
