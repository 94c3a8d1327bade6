"""What Debian's Bazel loads from the network, and finds here instead.

Only our own WORKSPACE calls this, and the WORKSPACE of whoever builds without a network on Debian.
A user of an ordinary Bazel must not: the rules_cc here would replace the real one.
"""

load("@bazel_tools//tools/build_defs/repo:utils.bzl", "maybe")
load("//third_party:overlay_repository.bzl", "overlay_repository")

def debian_bazel():
    """Defines the repositories that Bazel's own tools load, from files that need no download."""

    # Bazel 4's native rules under the name that every BUILD file loads them by. Debian's own copy
    # of rules_cc is too new for this Bazel.
    maybe(
        overlay_repository,
        name = "rules_cc",
        overlays = {
            Label("//third_party/rules_cc:cc.BUILD"): "cc/BUILD.bazel",
            Label("//third_party/rules_cc:defs.bzl"): "cc/defs.bzl",
        },
    )

    # `bazel test` asks for it even where no coverage is measured.
    maybe(
        overlay_repository,
        name = "remote_coverage_tools",
        overlays = {Label("//third_party/coverage:coverage.BUILD"): "BUILD.bazel"},
    )
    for name in ["java", "proto"]:
        maybe(
            native.local_repository,
            name = "rules_" + name,
            path = "/usr/share/bazel/rules/" + name,
        )
