"""The parts of `make node`: see __main__.py."""
