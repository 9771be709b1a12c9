#!/usr/bin/python3
"""check_symbols.py CORE_FILE... --worldly WORLDLY_FILE...: what does the core call outside itself?

The files are static archives, and a list of the targets that they come from. The core must define
all of `norn` that it uses, call nothing forbidden, and depend on the libraries below only. In the
second group every pattern must find something.

tests/tidy sees what the sources say; this sees what inline functions of other headers bring along.
"""

import re
import subprocess
import sys

FORBIDDEN = {
    "clock": r"clock_gettime|gettimeofday|time|nanosleep|u?sleep"
    r"|std::chrono::_V2::(system|steady)_clock::now\(\)|absl::\w+::(Now|GetCurrentTimeNanos)\(\)",
    "thread": r"pthread_(create|mutex_\w+|cond_\w+|rwlock_\w+)|std::(thread|condition_variable)::.*"
    r"|absl::\w+::(Mutex|CondVar)::.*",
    "socket": r"socket|connect|bind|listen|accept4?|(send|recv)(to|from|msg)?|poll|select|epoll_\w+",
    "file": r"open(at)?(64)?|creat|f(re)?open(64)?|p?(read|write)v?(64)?|f(data)?sync|rename|unlink"
    r"|mkdir|mmap(64)?|std::(basic_)?([io]?fstream|filebuf)\b.*|std::filesystem::.*",
    "chance": r"s?rand(om)?(_r)?|[delmn]rand48|getrandom|getentropy|std::random_device::.*",
    "environment": r"(secure_)?getenv|fork|exec[a-z]+|system",
}
LIBRARIES = r"(//core[:/]|@com_google_absl//|@xxhash//)"
# A few dozen at the least: fewer, and this looked at the wrong files.
SYMBOLS_MIN = 50


def symbols(archives):
    """(defined, called) names, demangled. Weak references (nm says "w") are not calls."""
    rows = subprocess.run(
        ["nm", "--demangle", *archives], check=True, capture_output=True, text=True
    ).stdout.split("\n")
    defined, called = set(), set()
    for row in rows:
        found = re.fullmatch(r"[0-9a-f]* +([A-Za-z]) (.+)", row)
        if found and found.group(1) == "U":
            called.add(found.group(2))
        elif found and found.group(1) != "w":
            defined.add(found.group(2))
    return defined, called - defined


def forbidden(called):
    return {
        kind: sorted(name for name in called if re.fullmatch(pattern, name))
        for kind, pattern in FORBIDDEN.items()
    }


def split(files):
    archives = [name for name in files if name.endswith(".a")]
    owners = []
    for name in files:
        if name.endswith(".owners"):
            with open(name, encoding="utf-8") as lines:
                owners += lines.read().split()
    return archives, owners


def check(core, worldly):
    archives, owners = split(core)
    if not archives:
        yield "the core has no archives"
        return
    defined, called = symbols(archives)
    if len(defined) < SYMBOLS_MIN:
        yield f"the core defines {len(defined)} symbols; is that all?"
    for kind, names in forbidden(called).items():
        yield from (f"core calls {name} ({kind}); it must ask a port" for name in names)
    for name in sorted(called):
        if name.startswith("norn::"):
            yield f"core does not define {name}, and so does not link by itself"
    for owner in owners:
        if not re.match(LIBRARIES, owner):
            yield f"core depends on {owner}; only Abseil and xxhash are allowed"
    for kind, names in forbidden(symbols(split(worldly)[0])[1]).items():
        if not names:
            yield f"the pattern for {kind} misses what worldly.cc does"


def main(arguments):
    middle = arguments.index("--worldly")
    wrong = list(check(arguments[:middle], arguments[middle + 1 :]))
    print("\n".join(wrong) if wrong else "the core links alone, and calls on nothing of the world")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
