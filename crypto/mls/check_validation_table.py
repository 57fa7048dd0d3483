#!/usr/bin/env python3
"""Checks VALIDATION.md: rows numbered without gaps, every `file:function` and every test there.

usage: check_validation_table.py ROOT     (the project's root; exits with 1 and says what is missing)
"""
import pathlib
import re
import sys


def tests_of(root):
    names = set()
    for folder in ("crypto", "tests"):
        for path in (root / folder).rglob("*_test.cc"):
            for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", path.read_text(), re.M):
                names.add(f"{suite}.{name}")
    return names


def problems(root):
    here = root / "crypto" / "mls"
    tests = tests_of(root)
    rows = [line for line in (here / "VALIDATION.md").read_text().splitlines()
            if re.match(r"\| \d+ \|", line)]
    if len(rows) < 100:
        yield f"only {len(rows)} rows"
    for expected, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if len(cells) != 5 or not all(cells):
            yield f"row {expected} hasn't five cells"
            continue
        if cells[0] != str(expected):
            yield f"row {cells[0]} should be {expected}"
        for file, function in (w.split(":") for w in re.findall(r"`([^`]+)`", cells[3])):
            path = here / file
            if not path.is_file() or not re.search(rf"\b{function}\(", path.read_text()):
                yield f"row {expected}: no {function}() in {file}"
        named = re.findall(r"`([^`]+)`", cells[4])
        for test in named:
            if test not in tests:
                yield f"row {expected}: no test {test}"
        if not named:
            yield f"row {expected} has no test"


def main():
    found = list(problems(pathlib.Path(sys.argv[1])))
    for problem in found:
        print("VALIDATION.md:", problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
