#!/usr/bin/python3
"""tutorial_test.py TUTORIAL.md SOURCE PROGRAM: is what a tutorial says true?

Its C++ must stand in the source, line by line; the output of its commands ("$ ...") must be what
they print. After a change that is meant: NORN_REWRITE=1 bazel run //tests/sim:tutorial_test
"""

import os
import re
import subprocess
import sys

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def plain(text):
    """Without what differs from machine to machine."""
    return re.sub(r"in \d+\.\d s", "in 0.0 s", text)


def console(block, folder):
    """The commands of a block with their true output (what is not an error)."""
    commands = [line[2:] for line in block.split("\n") if line.startswith("$ ")]
    script = ""
    for command in commands:
        script += f"cat <<'COMMAND'\n$ {command}\nCOMMAND\n{command}\n"
    run = subprocess.run(
        ["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=240
    )
    return plain(run.stdout)


def main(tutorial, source, program):
    with open(source, encoding="utf-8") as file:
        code = file.read()
    with open(tutorial, encoding="utf-8") as file:
        text = file.read()
    folder = os.environ.get("TEST_TMPDIR", "/tmp") + "/tutorial"
    os.makedirs(folder + "/bazel-bin/sim/examples", exist_ok=True)
    link = folder + "/bazel-bin/sim/examples/primary"
    if not os.path.islink(link):
        os.symlink(os.path.abspath(program), link)
    wrong, counts, rewritten = [], {"cpp": 0, "console": 0}, text
    for kind, block in FENCE.findall(text):
        counts[kind] = counts.get(kind, 0) + 1
        if kind == "cpp" and block not in code:
            wrong.append(f"{source} has no such lines:\n{block}")
        if kind != "console":
            continue
        true = console(block, folder)
        rewritten = rewritten.replace(f"```console\n{block}```", f"```console\n{true}```")
        if true != plain(block):
            wrong.append(f"the tutorial says\n{block}and true is\n{true}")
    if counts["cpp"] < 3 or counts["console"] < 3:
        wrong.append(f"{tutorial}: hardly any code or command was found: {counts}")
    if os.environ.get("NORN_REWRITE") and "BUILD_WORKSPACE_DIRECTORY" in os.environ:
        place = os.path.join(os.environ["BUILD_WORKSPACE_DIRECTORY"], "sim/examples/TUTORIAL.md")
        with open(place, "w", encoding="utf-8") as file:
            file.write(rewritten)
        print(f"written: {place}")
        return 0
    print("\n".join(wrong) if wrong else f"the tutorial is true: {counts}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
