"""The dependencies of Norn: each from which Debian package, and under which labels."""

load(":system.bzl", "system_library", "system_protobuf", "system_repository")

def _absl(names):
    """Labels "absl/strings:cord" to pkg-config modules "absl_cord"."""
    targets = {
        "absl/" + (name if ":" in name else name + ":" + name): ["absl_" + name.rpartition(":")[2]]
        for name in names
    }

    # Modules that are named otherwise.
    targets.update({
        "absl/algorithm:container": ["absl_algorithm_container"],
        "absl/flags:flag": ["absl_flags"],
        "absl/flags:parse": ["absl_flags_parse"],
        "absl/flags:usage": ["absl_flags_usage"],
    })
    return targets

def _bazel_rules():
    # Bazel 4.2 prefetches these from the network unless they are defined here.
    system_repository(
        name = "rules_proto",
        debian_package = "bazel-rules-proto",
        path = "/usr/share/bazel/rules/proto",
    )
    system_repository(
        name = "rules_java",
        debian_package = "bazel-rules-java",
        path = "/usr/share/bazel/rules/java",
    )
    system_repository(
        name = "bazel_skylib",
        debian_package = "bazel-skylib",
        path = "/usr/share/bazel/tools/skylib",
    )
    system_repository(
        name = "platforms",
        debian_package = "bazel-platforms",
        path = "/usr/share/bazel/tools/platforms",
    )

    # Debian's rules_cc wants a newer Bazel than Debian's own.
    native.local_repository(name = "rules_cc", path = "tools/bazel/rules_cc")
    native.local_repository(
        name = "remote_coverage_tools",
        path = "tools/bazel/remote_coverage_tools",
    )

def norn_dependencies():
    """Defines every external repository."""
    _bazel_rules()
    system_protobuf(name = "com_google_protobuf")
    system_library(
        name = "com_google_absl",
        debian_package = "libabsl-dev",
        targets = _absl([
            "base:core_headers",
            "cleanup",
            "container:btree",
            "container:flat_hash_map",
            "container:flat_hash_set",
            "container:inlined_vector",
            "functional:function_ref",
            "hash",
            "memory",
            "numeric:bits",
            "numeric:int128",
            "status",
            "status:statusor",
            "strings",
            "strings:cord",
            "strings:str_format",
            "synchronization",
            "time",
            "types:optional",
            "types:span",
            "types:variant",
        ]),
    )
    system_library(
        name = "com_google_googletest",
        debian_package = "libgmock-dev",
        targets = {
            ":gtest": ["gmock", "gtest"],
            ":gtest_main": ["gmock_main"],
        },
    )
    system_library(
        name = "com_google_benchmark",
        debian_package = "libbenchmark-dev",
        targets = {
            ":benchmark": ["benchmark"],
            ":benchmark_main": [],
        },
        linkopts = {":benchmark_main": ["-lbenchmark_main"]},
        deps = {":benchmark_main": [":benchmark"]},
    )
    system_library(
        name = "rapidcheck",
        debian_package = "librapidcheck-dev",
        targets = {
            ":rapidcheck": [],
            ":rapidcheck_gtest": [],
        },
        headers = ["rapidcheck.h", "rapidcheck/gtest.h"],
        linkopts = {":rapidcheck": ["-lrapidcheck"]},
        deps = {":rapidcheck_gtest": [":rapidcheck", "@com_google_googletest//:gtest"]},
    )
    system_library(
        name = "asio",
        debian_package = "libasio-dev",
        targets = {":asio": []},
        headers = ["asio.hpp"],
        defines = {":asio": ["ASIO_STANDALONE", "ASIO_NO_DEPRECATED"]},
        linkopts = {":asio": ["-pthread"]},
    )
    system_library(
        name = "openssl",
        debian_package = "libssl-dev",
        targets = {
            ":crypto": ["libcrypto"],
            ":ssl": ["libssl", "libcrypto"],
        },
    )
    system_library(
        name = "lz4",
        debian_package = "liblz4-dev",
        targets = {":lz4": ["liblz4"]},
    )
    system_library(
        name = "zstd",
        debian_package = "libzstd-dev",
        targets = {":zstd": ["libzstd"]},
    )
    system_library(
        name = "xxhash",
        debian_package = "libxxhash-dev",
        targets = {":xxhash": []},
        headers = ["xxhash.h"],
        # Inlined: no run-time library, and short inputs hash several times faster.
        defines = {":xxhash": ["XXH_INLINE_ALL"]},
    )
    system_library(
        name = "nlohmann_json",
        debian_package = "nlohmann-json3-dev",
        targets = {":json": ["nlohmann_json"]},
        headers = ["nlohmann/json.hpp"],
    )
    system_library(
        name = "spdlog",
        debian_package = "libspdlog-dev",
        targets = {":spdlog": ["spdlog"]},
    )
    system_library(
        name = "prometheus_cpp",
        debian_package = "prometheus-cpp-dev",
        targets = {":core": ["prometheus-cpp-core"]},
    )
    system_library(
        name = "jemalloc",
        debian_package = "libjemalloc-dev",
        targets = {":jemalloc": ["jemalloc"]},
    )
    system_library(
        name = "hiredis",
        debian_package = "libhiredis-dev",
        targets = {":hiredis": ["hiredis"]},
    )

    # The peers of //benchmarks:compare_engines.
    system_library(
        name = "leveldb",
        debian_package = "libleveldb-dev",
        targets = {":leveldb": []},
        headers = ["leveldb/db.h"],
        linkopts = {":leveldb": ["-lleveldb"]},
    )
    system_library(
        name = "rocksdb",
        debian_package = "librocksdb-dev",
        targets = {":rocksdb": ["rocksdb"]},
    )
