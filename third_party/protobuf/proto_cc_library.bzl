"""A C++ library of a .proto file, by the protobuf compiler of @com_google_protobuf."""

load("@rules_cc//cc:defs.bzl", "cc_library")

def proto_cc_library(name, src, **kwargs):
    """Makes `cc_library(name)` with the header "PACKAGE/x.pb.h" for `src` = "x.proto".

    Bazel's own cc_proto_library builds the compiler and the runtime from source in every workspace
    that uses it; this takes those that @com_google_protobuf has, as they are.

    Args:
      name: of the library.
      src: the .proto file, which imports no other.
      **kwargs: as of cc_library.
    """
    base = src[:-len(".proto")]
    native.genrule(
        name = name + "_files",
        srcs = [src],
        outs = [base + ".pb.cc", base + ".pb.h"],
        # The root is what stands before the package: nothing, or external/rollcall.
        cmd = """
            src=$(location {src})
            root=$${{src%{package}/{src}}}
            $(execpath @com_google_protobuf//:protoc) --proto_path="$${{root:-.}}" \
              --cpp_out="$(GENDIR)/$$root" "$$src"
        """.format(src = src, package = native.package_name()),
        tools = ["@com_google_protobuf//:protoc"],
    )
    cc_library(
        name = name,
        srcs = [base + ".pb.cc"],
        hdrs = [base + ".pb.h"],
        deps = ["@com_google_protobuf//:protobuf"],
        **kwargs
    )
