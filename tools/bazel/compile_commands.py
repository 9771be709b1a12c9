#!/usr/bin/python3
"""Writes compile_commands.json, and tells which files clang-tidy has to read.

usage: compile_commands.py ACTIONS CHANGED

ACTIONS  what `bazel aquery --output=jsonproto` says of the CppCompile actions
CHANGED  names of changed files, one per line
Prints the .cc files to check: those that changed, and for a changed header the .cc file of the
same name, or else the first one that includes it.
"""

import json
import os
import sys

# Flags that clang does not know, redefined built-in macros, and -Werror: the compiler has its say
# in the build, here only clang-tidy's checks count.
DROPPED = ("-fno-canonical-system-headers", "-Wno-free-nonheap-object", "-Werror", "-D__DATE__",
           "-D__TIMESTAMP__", "-D__TIME__")


def read_commands(path):
    with open(path, encoding="utf-8") as actions:
        graph = json.load(actions)
    commands = {}
    for action in graph.get("actions", []):
        arguments = [a for a in action["arguments"] if a.split("=")[0] not in DROPPED]
        if "-c" not in arguments:
            continue
        source = arguments[arguments.index("-c") + 1]
        # Only our own files, each once, though several configurations may compile it.
        if os.path.isfile(source) and not source.startswith(("external/", "bazel-out/")):
            commands.setdefault(source, arguments)
    return commands


def includes(source, header):
    with open(source, encoding="utf-8") as text:
        return f'#include "{header}"' in text.read()


def to_check(changed, commands):
    files = set()
    for name in changed:
        if name in commands:
            files.add(name)
        elif name.endswith(".h"):
            twin = name[:-2] + ".cc"
            users = [twin] if twin in commands else [s for s in commands if includes(s, name)]
            files.update(sorted(users)[:1])
    return sorted(files)


def main():
    commands = read_commands(sys.argv[1])
    entries = [
        {"directory": os.getcwd(), "file": source, "arguments": arguments}
        for source, arguments in sorted(commands.items())
    ]
    with open("compile_commands.json", "w", encoding="utf-8") as out:
        json.dump(entries, out, indent=1)
    with open(sys.argv[2], encoding="utf-8") as changed:
        print("\n".join(to_check(changed.read().split("\n"), commands)))


if __name__ == "__main__":
    main()
