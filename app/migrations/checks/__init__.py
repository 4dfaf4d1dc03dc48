"""The rules for revision files, one to a module; `rules.py` lists them."""
