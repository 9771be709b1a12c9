#!/usr/bin/python3
"""Checks the source tree: tidy.py ROOT. Prints `file:line: rule: what is wrong; what to do`.

  include      the layers (includes.py)
  hash-order   loops over hash containers (hash_order.py)
  clock, chance, distribution, thread, unordered, environment, hash, floating-point, simulated,
  pointer-order   words that must not occur (tokens.py)
  length       files of more than 600 lines
  to-do        a note to oneself instead of an issue
  machine-path a path of the machine it was written on
"""

import os
import re
import sys

import hash_order
import includes
import tokens
from source import Source

MAX_LINES = 600

# (rule, file, token): why it may stay. An entry that excuses nothing is an error.
ALLOWED = {
    ("include", "core/crc32c.cc", "nmmintrin.h"): "SSE4.2, chosen at run time",
}

_CODE = (".h", ".cc")
_COUNTED = _CODE + (".py", ".bzl", ".proto", ".sh")
# Made by tools on one machine, and known to .gitignore.
_LOCAL = ("compile_commands.json", "user.bazelrc")
# This folder quotes what it forbids.
_OWN = "tests/tidy/"


def text_rules(path, text):
    lines = text.split("\n")
    if path.endswith(_COUNTED) and len(lines) - 1 > MAX_LINES:
        yield "length", MAX_LINES, f"{len(lines) - 1} lines", "split the file by what it is about"
    if path.startswith(_OWN):
        return
    for number, line in enumerate(lines, 1):
        found = re.search(r"\b(TODO|FIXME)\b", line)
        if found:
            yield "to-do", number, found.group(), "do it, or open an issue and name it"
        found = re.search(r"(?<![\w./-])/(work|root)/", line)
        if found:
            yield "machine-path", number, found.group(), "exists on one machine only"


def code_rules(path, text, header=""):
    source = Source(path, text, header)
    for line, token, advice in includes.check(source):
        yield "include", line, token, advice
    for line, token, advice in hash_order.check(source):
        yield "hash-order", line, token, advice
    yield from tokens.check(source)


def findings(path, text, header=""):
    """(rule, line, token, advice) of everything wrong in one file."""
    yield from text_rules(path, text)
    if path.endswith(_CODE) and "/" in path:
        yield from code_rules(path, text, header)


def read(path):
    """The text of a file; empty if there is none, or if it is not text."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


def files(root):
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            f
            for f in folders
            if (f == ".ci" or not f.startswith(".")) and f != "__pycache__"
            and not (folder == root and f.startswith("bazel-"))
        )
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name not in _LOCAL and not os.path.islink(path):
                yield os.path.relpath(path, root)


def main(root):
    wrong, used, count = [], set(), 0
    for path in files(root):
        text = read(os.path.join(root, path))
        header = read(os.path.join(root, path[:-3] + ".h")) if path.endswith(".cc") else ""
        count += path.endswith(_CODE)
        for rule, line, token, advice in findings(path, text, header):
            if (rule, path, token) in ALLOWED:
                used.add((rule, path, token))
            else:
                wrong.append(f"{path}:{line}: {rule}: {token}: {advice}")
    for entry in sorted(set(ALLOWED) - used):
        wrong.append(f"tests/tidy/tidy.py:1: allowed: {entry} excuses nothing; remove it")
    # An empty tree is tidy, too: but then this looked in the wrong place.
    if count == 0:
        wrong.append(f"{root}: no C++ file found")
    print("\n".join(wrong) if wrong else f"{count} C++ files are tidy")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
