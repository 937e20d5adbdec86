#!/usr/bin/env python3
"""Drops from a profile, in the text form of llvm-profdata, the functions that never ran.

Those that the compiler may merge with one that ran stay: the same generic function for another type often has the same code. Where
nothing says that it never runs, the compiler may keep it in place of the one that ran, and the linker knows no order for it.
"""

import re
import sys
from typing import NamedTuple

COUNTS = re.compile(r"# Func Hash:\n(?P<shape>\d+)\n# Num Counters:\n(?P<number>\d+)\n# Counter Values:\n(?P<counts>(?:\d+\n?)+)")
HASH = re.compile(r"17h[0-9a-f]{16}E")


class Function(NamedTuple):
    """One function of the profile."""

    text: str
    ran: bool
    # Equal for functions that may have equal code: the name without its hash and its file, the shape of the code.
    likeness: tuple[str, str, str]

    @classmethod
    def of(cls, text):
        name = HASH.sub("", text.split("\n", 1)[0]).rpartition(";")[2]
        found = COUNTS.search(text)
        ran = any(count != "0" for count in found["counts"].split())
        return cls(text, ran, (name, found["shape"], found["number"]))


def main():
    """The functions are blocks with an empty line between them. The first block is about all of them."""
    header, *blocks = sys.stdin.read().rstrip("\n").split("\n\n")
    if ":temporal_prof_traces" not in header:
        sys.exit("the profile does not say in which order the functions were first called")
    functions = [Function.of(block) for block in blocks]
    ran = {function.likeness for function in functions if function.ran}
    kept = [function.text for function in functions if function.likeness in ran]
    print("\n\n".join([header, *kept]))
    print(f"{len(functions)} functions, {sum(function.ran for function in functions)} ran, {len(kept)} kept", file=sys.stderr)


main()
