"""Repository rules that present what Debian installed as Bazel repositories."""

def _run(ctx, command):
    """Returns the trimmed output of `command`, or None if it failed."""
    result = ctx.execute(command)
    return result.stdout.strip() if result.return_code == 0 else None

def _fail_missing(ctx, what):
    fail("%s is missing. Install the Debian package %s (or run tools/install-deps)." %
         (what, ctx.attr.debian_package))

def _version_define(ctx):
    """A define that names package and version.

    System headers are no inputs of an action, so an upgrade of a package would go unnoticed: not
    so when its version is part of the command line.
    """
    package = ctx.attr.debian_package
    version = _run(ctx, ["dpkg-query", "-W", "-f=${Version}", package])
    if not version:
        _fail_missing(ctx, "@" + ctx.name)
    text = "".join([c if c.isalnum() else "_" for c in (package + "=" + version).elems()])
    return "NORN_SYSTEM_" + text

def _compile_and_link_flags(ctx, modules):
    """Asks pkg-config for the defines and the link flags of `modules`."""
    for module in modules:
        if _run(ctx, ["pkg-config", "--exists", module]) == None:
            _fail_missing(ctx, "The pkg-config module " + module)
    cflags = _run(ctx, ["pkg-config", "--cflags-only-other"] + modules)
    libs = _run(ctx, ["pkg-config", "--libs"] + modules)

    # Without its defines, spdlog would be compiled header-only.
    defines = [flag[2:] for flag in cflags.split(" ") if flag.startswith("-D")]
    return defines, [flag for flag in libs.split(" ") if flag]

_CC_LIBRARY = """
cc_library(
    name = "{name}",
    defines = {defines},
    linkopts = {linkopts},
    deps = {deps},
)
"""

def _system_library_impl(ctx):
    version_define = _version_define(ctx)
    build_files = {}
    for label in ctx.attr.targets:
        package, _, name = label.partition(":")
        defines, libs = [], []
        if ctx.attr.targets[label]:
            defines, libs = _compile_and_link_flags(ctx, ctx.attr.targets[label])
        libs = libs + ctx.attr.linkopts.get(label, [])
        if libs:
            # pkg-config lists the whole closure; do not load what a binary never calls.
            libs = ["-Wl,--push-state,--as-needed"] + libs + ["-Wl,--pop-state"]
        build_files.setdefault(package, []).append(_CC_LIBRARY.format(
            name = name or package.rpartition("/")[2],
            defines = repr([version_define] + defines + ctx.attr.defines.get(label, [])),
            linkopts = repr(libs),
            deps = repr(ctx.attr.deps.get(label, [])),
        ))
    for header in ctx.attr.headers:
        if not ctx.path("/usr/include/" + header).exists:
            _fail_missing(ctx, "The header " + header)
    prefix = 'package(default_visibility = ["//visibility:public"])\n'
    for package in build_files:
        path = package + "/BUILD.bazel" if package else "BUILD.bazel"
        ctx.file(path, prefix + "".join(build_files[package]))

system_library = repository_rule(
    implementation = _system_library_impl,
    doc = "Libraries of one Debian package, under the labels that upstream gives them.",
    attrs = {
        "debian_package": attr.string(mandatory = True),
        "defines": attr.string_list_dict(doc = "Label to further defines."),
        "deps": attr.string_list_dict(doc = "Label to labels."),
        "headers": attr.string_list(doc = "Must exist; for packages without pkg-config."),
        "linkopts": attr.string_list_dict(doc = "Label to further link flags."),
        "targets": attr.string_list_dict(doc = "Label (package:name) to pkg-config modules."),
    },
    # Look again whenever the Bazel server starts: packages come, go and change.
    local = True,
)

def _system_repository_impl(ctx):
    root = ctx.path(ctx.attr.path)
    if not root.exists:
        _fail_missing(ctx, ctx.attr.path)
    for entry in root.readdir():
        ctx.symlink(entry, entry.basename)

system_repository = repository_rule(
    implementation = _system_repository_impl,
    doc = "Bazel rules of a Debian package, like local_repository with a helpful error.",
    attrs = {
        "debian_package": attr.string(mandatory = True),
        "path": attr.string(mandatory = True),
    },
    local = True,
)

_PROTOBUF_BUILD = """
package(default_visibility = ["//visibility:public"])

exports_files(["protoc"])

cc_library(
    name = "protobuf",
    defines = {defines},
    linkopts = {linkopts},
)

# What cc_proto_library asks for, by this name.
proto_lang_toolchain(
    name = "cc_toolchain",
    command_line = "--cpp_out=$(OUT)",
    runtime = ":protobuf",
)
"""

def _system_protobuf_impl(ctx):
    protoc = ctx.which("protoc")
    if not protoc:
        fail("protoc is missing. Install the Debian package protobuf-compiler " +
             "(or run tools/install-deps).")
    ctx.symlink(protoc, "protoc")
    version_define = _version_define(ctx)
    defines, libs = _compile_and_link_flags(ctx, ["protobuf"])
    ctx.file("BUILD.bazel", _PROTOBUF_BUILD.format(
        defines = repr([version_define] + defines),
        linkopts = repr(libs),
    ))

system_protobuf = repository_rule(
    implementation = _system_protobuf_impl,
    doc = "protoc and libprotobuf, wired for proto_library and cc_proto_library.",
    attrs = {"debian_package": attr.string(default = "libprotobuf-dev")},
    local = True,
)
