"""Files as constants in a C++ header, so that a binary needs nothing beside it."""

load("@rules_cc//cc:defs.bzl", "cc_library")

def _constant(src):
    words = src.split("/")[-1].replace(".", "_").split("_")
    return "k" + "".join([word.capitalize() for word in words])

def embed_files(name, srcs, namespace, **kwargs):
    """A library with the header "PACKAGE/NAME.h": an absl::string_view for each file.

    Args:
      name: of the library and of the header.
      srcs: "page.css" becomes the constant kPageCss.
      namespace: of the constants.
      **kwargs: as of cc_library.
    """
    header = name + ".h"
    commands = [
        "echo '#include \"absl/strings/string_view.h\"'",
        "echo 'namespace %s {'" % namespace,
    ]
    for src in srcs:
        # Bytes as numbers, so that neither the compiler's quotes nor its limit on the length of one
        # string are met.
        commands += [
            "echo 'inline constexpr char %sBytes[] = {'" % _constant(src),
            "od -An -v -td1 -w32 $(location %s) | sed -E 's/ +(-?[0-9]+)/\\1,/g'" % src,
            "echo '};'",
            "echo 'inline constexpr absl::string_view {0}({0}Bytes, sizeof({0}Bytes));'".format(_constant(src)),
        ]
    commands.append("echo '}  // namespace %s'" % namespace)
    native.genrule(
        name = name + "_header",
        srcs = srcs,
        outs = [header],
        cmd = "( %s ) > $@" % " && ".join(commands),
    )
    cc_library(
        name = name,
        hdrs = [header],
        deps = ["@com_google_absl//absl/strings"],
        **kwargs
    )
