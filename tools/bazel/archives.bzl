"""The static archives of a library and of all it depends on, for tests that read their symbols."""

def _static_archives_impl(ctx):
    archives, owners = [], []
    for linker_input in ctx.attr.library[CcInfo].linking_context.linker_inputs.to_list():
        owners.append(str(linker_input.owner))
        for library in linker_input.libraries:
            archives.append(library.pic_static_library or library.static_library)

    # Which targets took part: a system library has link flags, but no archive.
    list_file = ctx.actions.declare_file(ctx.label.name + ".owners")
    ctx.actions.write(list_file, "".join([owner + "\n" for owner in owners]))
    files = [file for file in archives if file] + [list_file]
    return [DefaultInfo(files = depset(files), runfiles = ctx.runfiles(files))]

static_archives = rule(
    implementation = _static_archives_impl,
    attrs = {"library": attr.label(mandatory = True, providers = [CcInfo])},
)
