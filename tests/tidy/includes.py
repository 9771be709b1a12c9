"""Who may include whom. Bazel's visibility does not cover headers under /usr/include."""

import re

_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

# Standard headers without which the core, the engine and so every simulation must live: they
# bring in clocks, threads, chance or files.
_WORLDLY = set(
    "atomic barrier chrono condition_variable coroutine csignal ctime filesystem fstream future "
    "iostream latch mutex random semaphore shared_mutex stop_token thread".split()
)
# Their order must not leak into an effect.
_UNORDERED = {"unordered_map", "unordered_set"}
_WORLDLY_ABSL = r"absl/(flags|random|synchronization)/.*|absl/time/clock\.h"
_COMMON = [r"absl/.*", r"xxhash\.h"]
_POSIX = [r"[a-z0-9_]+\.h", r"(arpa|linux|net|netinet|sys)/[a-z0-9_]+\.h"]


class _Layer:
    def __init__(self, project, libraries=(), worldly=False):
        self.project = project
        self.libraries = _COMMON + list(libraries)
        self.worldly = worldly


# First match counts.
_LAYERS = [
    (r"core/", _Layer([r"core/.*"])),
    (r"storage/posix", _Layer([r"core/.*", r"storage/.*"], _POSIX, worldly=True)),
    (r"storage/", _Layer([r"core/.*", r"storage/.*"], [r"lz4\.h", r"zstd\.h"])),
    (
        r"net/",
        _Layer(
            [r"core/.*", r"net/.*"],
            _POSIX + [r"(asio|google/protobuf|openssl|prometheus|spdlog)/.*", r"asio\.hpp"],
            worldly=True,
        ),
    ),
    # What users' tests include: libraries of tests in public headers.
    (
        r"sim/properties/",
        _Layer(
            [r"core/.*", r"sim/.*"],
            [r"google/protobuf/.*", r"gtest/gtest\.h", r"rapidcheck\.h"],
            worldly=True,
        ),
    ),
    (
        r"sim/",
        _Layer(
            # Bytes travel in simulation too: the codec, and nothing else of net/.
            [r"core/.*", r"storage/(?!posix).*", r"net/\w*codec\w*\.h", r"net/\w+\.pb\.h", r"sim/.*"],
            _POSIX + [r"google/protobuf/.*", r"nlohmann/.*"],
            worldly=True,
        ),
    ),
    (
        r"node/",
        _Layer(
            [r"core/.*", r"storage/.*", r"net/.*", r"node/.*"],
            _POSIX + [r"(asio|google/protobuf|openssl|prometheus|spdlog)/.*", r"asio\.hpp"],
            worldly=True,
        ),
    ),
    (r"(tests|tools|benchmarks)/", None),
]
_PROJECT = re.compile(r"(core|storage|net|sim|node|tests|tools|benchmarks)/")


def _wrong(layer, folder, quote, header):
    """Why this include is not for this layer, or None."""
    # C++ standard headers have no dot, no slash, and come in angle brackets.
    if quote == "<" and re.fullmatch(r"[a-z0-9_]+", header):
        if header in _WORLDLY and not layer.worldly:
            return "the outside world enters through the ports (core/ports.h) only"
        if header in _UNORDERED and folder == "core":
            return "use absl::flat_hash_map for look-ups, std::map to iterate"
        return None
    if quote == '"' and _PROJECT.match(header):
        if not any(re.fullmatch(p, header) for p in layer.project):
            return "wrong direction; see who may include whom in tests/tidy/includes.py"
        return None
    if not layer.worldly and re.fullmatch(_WORLDLY_ABSL, header):
        return "the outside world enters through the ports (core/ports.h) only"
    if not any(re.fullmatch(p, header) for p in layer.libraries):
        return "not a library of this folder; put what needs it into another layer"
    return None


def check(source):
    for pattern, layer in _LAYERS:
        if re.match(pattern, source.path):
            break
    else:
        yield 1, source.folder + "/", "unknown folder; give it a layer in tests/tidy/includes.py"
        return
    if layer is None:
        return
    for number, line in enumerate(source.lines, 1):
        found = _INCLUDE.match(line)
        if not found:
            continue
        quote, header = found.groups()
        if source.is_test:
            # A unit test may use any library; what crosses modules belongs to tests/.
            if source.folder == "core" and _PROJECT.match(header) and header[:5] != "core/":
                yield number, header, "a unit test of core/ needs core/ only; else it is for tests/"
            continue
        reason = _wrong(layer, source.folder, quote, header)
        if reason:
            yield number, header, reason
