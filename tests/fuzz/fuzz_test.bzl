"""A fuzz target that is also an ordinary test; see corpus_main.h."""

def fuzz_test(name, srcs, deps, size = "small", **kwargs):
    """Builds `srcs` with libFuzzer under --config=fuzz, else with tests/fuzz/corpus_main.cc.

    Args:
      name: of the test.
      srcs: define LLVMFuzzerTestOneInput and norn::FuzzSeeds.
      deps: of srcs.
      size: of the test.
      **kwargs: for cc_test.
    """
    native.cc_test(
        name = name,
        size = size,
        srcs = srcs,
        # Under libFuzzer a test is a short session; `bazel run` without -runs is a long one.
        args = select({
            "//tools/bazel:fuzz": ["-runs=100000"],
            "//conditions:default": [],
        }),
        linkopts = select({
            "//tools/bazel:fuzz": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        deps = deps + ["//tests/fuzz:corpus"] + select({
            "//tools/bazel:fuzz": [],
            "//conditions:default": ["//tests/fuzz:corpus_main"],
        }),
        **kwargs
    )
