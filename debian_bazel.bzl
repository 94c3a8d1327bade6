"""What Debian's Bazel loads from the network, and finds here instead.

Only our own WORKSPACE calls this, and the WORKSPACE of whoever builds without a network on Debian.
A user of an ordinary Bazel must not: the rules_cc here would replace the real one.
"""

load("@bazel_tools//tools/build_defs/repo:utils.bzl", "maybe")
load("//third_party:overlay_repository.bzl", "overlay_repository")

# Debian 12 has Bazel 4, later ones Bazel 7. Debian's builds do not tell their version, so ask for
# something that came in between.
_BAZEL_4 = not hasattr(config_common, "toolchain_type")

_RULES = "/usr/share/bazel/rules/"
_LOCAL_REPOSITORIES = {
    "rules_java": _RULES + "java",
    "rules_proto": _RULES + "proto",
}
_LOCAL_REPOSITORIES_OF_BAZEL_7 = {
    "bazel_skylib": "/usr/share/bazel/tools/skylib",
    "platforms": "/usr/share/bazel/platforms/platforms",
    "rules_cc": _RULES + "cc",
    "rules_python": _RULES + "python",
}

def debian_bazel():
    """Defines the repositories that Bazel's own tools load, from files that need no download."""
    if _BAZEL_4:
        # The native rules under the name that every BUILD file loads them by. Debian 12's own copy
        # of rules_cc is too new for its Bazel.
        maybe(
            overlay_repository,
            name = "rules_cc",
            overlays = {
                Label("//third_party/rules_cc:cc.BUILD"): "cc/BUILD.bazel",
                Label("//third_party/rules_cc:defs.bzl"): "cc/defs.bzl",
            },
        )
    local_repositories = dict(_LOCAL_REPOSITORIES)
    if not _BAZEL_4:
        local_repositories.update(_LOCAL_REPOSITORIES_OF_BAZEL_7)
    for name, path in local_repositories.items():
        maybe(native.local_repository, name = name, path = path)

    # `bazel test` asks for it even where no coverage is measured.
    maybe(
        overlay_repository,
        name = "remote_coverage_tools",
        overlays = {Label("//third_party/coverage:coverage.BUILD"): "BUILD.bazel"},
    )
