"""The libraries Rollcall is built on. A user's WORKSPACE calls `rollcall_deps()`; see README.md.

Every library is the operating system's own, found by pkg-config, under the repository name and the
labels its upstream gives it. Whoever builds one of them from source defines that repository *above*
the call: the first definition wins.
"""

load("@bazel_tools//tools/build_defs/repo:utils.bzl", "maybe")
load("//third_party:abseil_targets.bzl", "ABSEIL_TARGETS")
load("//third_party:system_repository.bzl", "system_repository")

def rollcall_deps():
    """Defines every external repository that the module needs, unless the user did already."""
    maybe(
        system_repository,
        name = "com_google_absl",
        debian_packages = ["libabsl-dev"],
        targets = ABSEIL_TARGETS,
    )
    maybe(
        system_repository,
        name = "com_github_gflags_gflags",
        debian_packages = ["libgflags-dev"],
        targets = {":gflags": "gflags"},
    )
    maybe(
        system_repository,
        name = "com_github_google_benchmark",
        debian_packages = ["libbenchmark-dev"],
        targets = {":benchmark": "benchmark"},
    )
    maybe(
        system_repository,
        name = "com_github_google_glog",
        debian_packages = ["libgoogle-glog-dev"],
        targets = {":glog": "libglog gflags"},
    )
    maybe(
        system_repository,
        name = "com_github_grpc_grpc",
        debian_packages = ["libgrpc++-dev"],
        targets = {":grpc++": "grpc++"},
    )
    maybe(
        system_repository,
        name = "com_github_jupp0r_prometheus_cpp",
        debian_packages = ["prometheus-cpp-dev"],
        targets = {"core:core": "prometheus-cpp-core"},
    )
    maybe(
        system_repository,
        name = "com_github_libuv_libuv",
        debian_packages = ["libuv1-dev"],
        targets = {":libuv": "libuv"},
    )
    maybe(
        system_repository,
        name = "openssl",
        debian_packages = ["libssl-dev"],
        targets = {
            ":crypto": "libcrypto",
            ":ssl": "libssl libcrypto",
        },
    )
    maybe(
        system_repository,
        name = "com_google_protobuf",
        debian_packages = ["libprotobuf-dev", "protobuf-compiler"],
        programs = {"protoc": "protoc"},
        targets = {":protobuf": "protobuf"},
    )
    maybe(
        system_repository,
        name = "com_google_googletest",
        debian_packages = ["libgtest-dev", "libgmock-dev"],
        targets = {
            ":gtest": "gmock gtest",
            ":gtest_main": "gmock_main gmock gtest",
        },
    )
    maybe(
        system_repository,
        name = "libmicrohttpd",
        debian_packages = ["libmicrohttpd-dev"],
        loaded_later = {":microhttpd": "MICROHTTPD_SONAME"},
        targets = {":microhttpd": "libmicrohttpd"},
    )
    maybe(
        system_repository,
        name = "nlohmann_json",
        debian_packages = ["nlohmann-json3-dev"],
        targets = {":json": "nlohmann_json"},
    )
    maybe(
        system_repository,
        name = "sqlite3",
        debian_packages = ["libsqlite3-dev"],
        targets = {":sqlite3": "sqlite3"},
    )
