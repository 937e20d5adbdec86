"""The parts of tests/environment.py. Standard library only."""
