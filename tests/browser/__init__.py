"""The parts of `make browser`: see __main__.py."""
