"""What was measured, printed after the tests."""

import math

measured = []


def note(text):
    measured.append(text)


def show():
    print("\nmeasured:")
    for text in measured:
        print(f"  {text}")


def percentile(values, percent):
    """The smallest value that so many percent of them do not exceed."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def spread(values):
    found = [min(values), percentile(values, 50), percentile(values, 90), percentile(values, 99), max(values)]
    return "min {:.2f} s, median {:.2f} s, p90 {:.2f} s, p99 {:.2f} s, max {:.2f} s".format(*found)
