"""Builds one program a second time with other compiler flags, its libraries included."""

def _more_copts_impl(settings, attr):
    # At the end, where they win: over .bazelrc's -O1, and over any --config.
    return {"//command_line_option:copt": settings["//command_line_option:copt"] + attr.copts}

_more_copts = transition(
    implementation = _more_copts_impl,
    inputs = ["//command_line_option:copt"],
    outputs = ["//command_line_option:copt"],
)

def _binary_variant_impl(ctx):
    # An outgoing transition makes a list of a single dependency.
    binary = ctx.attr.binary[0][DefaultInfo]
    executable = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(
        output = executable,
        target_file = binary.files_to_run.executable,
        is_executable = True,
    )

    # Without the program itself: it would take the place of the plain one among a test's files.
    original = binary.files_to_run.executable
    data = [file for file in binary.default_runfiles.files.to_list() if file != original]
    return [DefaultInfo(executable = executable, runfiles = ctx.runfiles([executable] + data))]

binary_variant = rule(
    implementation = _binary_variant_impl,
    doc = """The program `binary`, compiled with `copts` added; a program or a test's data.

    For tests that want the same result from every build: that norn-sim prints the same hash
    at -O0 and at -O2, say.""",
    executable = True,
    attrs = {
        "binary": attr.label(mandatory = True, cfg = _more_copts, executable = True),
        "copts": attr.string_list(mandatory = True),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
)
