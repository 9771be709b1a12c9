#!/usr/bin/python3
"""check_symbols.py CORE WORLDLY: what do two shared libraries call that is not their own?

CORE must call nothing forbidden, and need only the libraries below; in WORLDLY every pattern must
find something. tests/tidy sees what the sources say; this sees what inline functions of other
headers brought along.
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
    r"|mkdir|mmap(64)?|std::(basic_([io]?f|file)\w*|ifstream|ofstream|fstream|filebuf|filesystem)\b.*",
    "chance": r"s?rand(om)?(_r)?|[dels]rand48|getrandom|getentropy|std::random_device::.*",
    "environment": r"(secure_)?getenv|fork|exec[a-z]+|system",
}
LIBRARIES = re.compile(r"lib(absl_\w+|stdc\+\+|gcc_s|c|m|atomic)\.so\b.*|ld-linux\S*")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")


def undefined(library):
    """Demangled names; weak references (nm says "w") are not calls."""
    for row in output("nm", "--dynamic", "--demangle", "--undefined-only", library):
        kind, _, name = row.strip().partition(" ")
        if kind == "U":
            yield name.partition("@")[0]


def calls(library):
    names = list(undefined(library))
    return {
        kind: sorted({name for name in names if re.fullmatch(pattern, name)})
        for kind, pattern in FORBIDDEN.items()
    }


def main(core, worldly):
    wrong = [f"{worldly}: no {kind} found; the pattern is wrong" for kind, names in
             calls(worldly).items() if not names]
    for kind, names in calls(core).items():
        wrong += [f"core calls {name} ({kind}); it must ask a port" for name in names]
    for row in output("readelf", "--dynamic", "--wide", core):
        needed = re.search(r"\(NEEDED\).*\[(.+)\]", row)
        if needed and not LIBRARIES.fullmatch(needed.group(1)):
            wrong.append(f"core needs {needed.group(1)}; Abseil and the standard library are all it may use")
    count = len([row for row in output("nm", "--dynamic", "--defined-only", core) if row])
    if count < 100:
        wrong.append(f"{core} defines {count} symbols; is that all of the core?")
    print("\n".join(wrong) if wrong else f"core alone: {count} symbols, none calls on the world")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
