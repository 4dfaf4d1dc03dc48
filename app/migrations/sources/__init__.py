"""Reading what a revision file would do, without running it."""
