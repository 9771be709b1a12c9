"""Words that must not occur: what makes a run depend on more than its seed and its inputs."""

import re

_DETERMINISTIC = ("core", "storage", "sim")


class _Ban:
    def __init__(self, rule, folders, pattern, instead, in_tests=False):
        self.rule = rule
        self.folders = folders
        self.pattern = re.compile(pattern)
        self.instead = instead
        self.in_tests = in_tests


_BANS = [
    _Ban(
        "clock",
        ("core", "storage"),
        r"\b(system_clock|steady_clock|high_resolution_clock|clock_gettime|gettimeofday|absl::Now)\b"
        r"|\btime\s*\(\s*(nullptr|NULL|0|&)",
        "time is an input: take the reading that the step was given",
    ),
    # The simulator may measure its own speed with steady_clock.
    _Ban("clock", ("sim",), r"\bsystem_clock\b|\babsl::Now\b", "use virtual time", in_tests=True),
    _Ban(
        "chance",
        _DETERMINISTIC,
        r"\brandom_device\b|\bs?rand\s*\(|\bgetrandom\s*\(|\bgetentropy\s*\(",
        "use core/random.h with a seed that was given",
        in_tests=True,
    ),
    _Ban(
        "distribution",
        ("core", "sim"),
        r"\bstd::(\w+_distribution|(ranges::)?(shuffle|sample))\b",
        "its numbers differ between standard libraries; use core/random.h",
    ),
    _Ban(
        "thread",
        ("core",),
        r"\bstd::(j?thread|async|atomic)\b|mutex\b|\bcondition_variable",
        "the core is a step machine on one thread",
    ),
    _Ban(
        "unordered",
        ("core", "sim"),
        r"\bunordered_\w+",
        "use absl::flat_hash_map for look-ups, std::map or a sorted vector to iterate",
    ),
    _Ban("environment", ("core",), r"\b(secure_)?getenv\b", "configuration enters with Start"),
    _Ban(
        "hash",
        ("core", "sim"),
        r"\babsl::Hash(Of)?\b|\bstd::hash\b",
        "salted, or different in every library; use XXH3 with a fixed seed",
    ),
    _Ban(
        "floating-point",
        ("core",),
        r"\b(float|double)\b",
        "compilers may round differently; use integers, or ask for an entry in ALLOWED of tidy.py",
    ),
    _Ban(
        "simulated",
        ("core", "storage", "net"),
        r"\bif\s*(constexpr\s*)?\([^;{}]*?\b\w*simulat\w*|#\s*if[^\n]*SIMULAT",
        "the code under test must not know that it is; give the port another implementation",
    ),
    _Ban(
        "pointer-order",
        ("core", "sim"),
        r"\bstd::(multi)?(map|set)<\s*(const\s+)?[\w:]+(<[^<>]*>)?(\s+const)?\s*\*",
        "addresses differ from run to run; order by an identifier",
    ),
]


def check(source):
    # What talks to the real disk is the one place of storage/ that may.
    if source.path.startswith("storage/posix"):
        return
    for ban in _BANS:
        if source.folder not in ban.folders or (source.is_test and not ban.in_tests):
            continue
        for found in ban.pattern.finditer(source.code):
            token = " ".join(found.group().split())
            yield ban.rule, source.line_of(found.start()), token, ban.instead
