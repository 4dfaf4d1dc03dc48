"""Tasks on the private PostgreSQL servers: stop."""

from invoke.context import Context

from scripts.tasks.command import ROOT, command


@command()
def stop(c: Context) -> None:
    """Stop the private PostgreSQL servers."""
    from app.migrations import server

    stopped = server.stop_all(ROOT)
    for name in stopped:
        print(f"stopped {name}")
    if not stopped:
        print("no private server is running")
