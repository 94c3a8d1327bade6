"""A repository made of files that lie in this one."""

def _overlay_repository_impl(ctx):
    for overlay, path in ctx.attr.overlays.items():
        ctx.symlink(overlay, path)

overlay_repository = repository_rule(
    implementation = _overlay_repository_impl,
    attrs = {"overlays": attr.label_keyed_string_dict(
        doc = "File here to its path in the repository.",
        mandatory = True,
    )},
    local = True,
)
