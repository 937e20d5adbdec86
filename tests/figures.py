#!/usr/bin/env python3
"""Prints the figures of the source's structure, to compare them before and after a change: python3 tests/figures.py"""

import pathlib
import re
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEST = re.compile(r"\n#\[cfg\(test\)\]\nmod tests \{.*", re.S)


def is_test(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return "tests" in parts


def code(path):
    """The text without comments and without the tests at its end."""
    text = TEST.sub("\n", path.read_text())
    return re.sub(r"(?m)^\s*//.*$|\s//\s.*$", "", text)


FILES = sorted([*(ROOT / "src").rglob("*.rs"), *(ROOT / "tests").rglob("*.rs")])
SOURCES = [path for path in FILES if not is_test(path)]
TESTS = [path for path in FILES if is_test(path)]


def count(pattern):
    """How often a pattern occurs in the sources, and in how many files."""
    found = [len(re.findall(pattern, code(path))) for path in SOURCES]
    return f"{sum(found)} in {sum(map(bool, found))} files"


def sizes(paths):
    lines = sorted(len(path.read_text().splitlines()) for path in paths)
    over = sum(line > 400 for line in lines)
    p90 = lines[int(len(lines) * 0.9)]
    return f"{len(lines)} files, lines p50 {statistics.median(lines):.0f}, p90 {p90}, max {lines[-1]}, over 400: {over}"


def functions():
    """The lines of each function from its name to its closing brace; rustfmt aligns both."""
    start = re.compile(r"^( *)(?:pub(?:\([^)]*\))? )?(?:const )?(?:async )?fn (\w+)")
    for path in SOURCES:
        inside = []
        for number, line in enumerate(code(path).splitlines()):
            if head := start.match(line):
                inside.append((head[1], head[2], number))
            elif inside and line == inside[-1][0] + "}":
                _, name, first = inside.pop()
                yield number - first + 1, f"{name} in {path.relative_to(ROOT)}"


def longest():
    lengths = sorted(functions())
    lines, name = lengths[-1]
    p50 = statistics.median(length for length, _ in lengths)
    return f"p50 {p50:.0f} lines, max {lines} ({name}), over 60: {sum(length > 60 for length, _ in lengths)}"


def fields(struct):
    for path in SOURCES:
        if body := re.search(r"pub(?:\([^)]*\))? struct %s \{\n(.*?)\n\}" % struct, code(path), re.S):
            return len(re.findall(r"(?m)^    (?:pub(?:\([^)]*\))? )?\w+: ", body[1]))
    return "none"


def sentences():
    """Files with text of four words or more, not counting what only a panic, a lint or the API server's own validation says."""
    aside = r'(?:\bexpect\(|\bpanic!\(|\bunreachable!\(|\breason = |#\[(?:x_kube|kube|schemars|arg|command|cfg_attr)\b[^\]]*)\s*"(?:[^"\\]|\\.)*"'
    files = []
    for path in SOURCES:
        texts = re.findall(r'"((?:[^"\\]|\\.)*)"', re.sub(aside, "", code(path), flags=re.S))
        if any(len(re.findall(r"[A-Za-z]{2,}", text)) >= 4 and text.count(" ") >= 3 for text in texts):
            files.append(path)
    rooms = sorted({"/".join(path.relative_to(ROOT).parts[:3]).removesuffix(".rs") for path in files})
    return f"{len(files)}, in {', '.join(rooms)}"


def imports():
    run = ["cargo", "test", "--quiet", "--locked", "--test", "purity", "figures", "--", "--nocapture"]
    output = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return next(line for line in output.splitlines() if "imports" in line)


print("imports:", imports())
print("src:", sizes(SOURCES))
print("tests:", sizes(TESTS))
print("functions:", longest())
print("fields of Memory:", fields("Memory"))
print("expected struct_excessive_bools:", count(r"struct_excessive_bools"))
print("settings.seed, standing for the grant:", count(r"settings\s*\.seed\b"))
print("files with sentences for people:", sentences())
