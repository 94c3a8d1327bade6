"""A fault_run whose store has one defect more than ours."""

load("//fault_injection:defs.bzl", "fault_run_program")

def store_mutant(name, src, headers = []):
    """Builds fault_run with one source file patched by NAME.patch.

    The patched object is linked by itself, and so comes before the library that has the unpatched
    one: a linker takes a member of a library only for symbols that are still missing.

    Args:
      name: of the program, and of the patch.
      src: the source file that is patched, as a label.
      headers: what it includes that its library keeps to itself.
    """
    patched = name + ".cc"
    native.genrule(
        name = name + "_source",
        testonly = True,
        # Built for mutants_test alone, and not again under each sanitizer.
        tags = ["manual"],
        srcs = [
            src,
            name + ".patch",
        ],
        outs = [patched],
        # No fuzz: a defect that no longer fits the code is written anew, not put somewhere near.
        cmd = "cp $(location {src}) $@ && chmod u+w $@ && ".format(src = src) +
              "patch --quiet --batch --forward --fuzz=0 --no-backup-if-mismatch " +
              "--reject-file=- $@ $(location {name}.patch)".format(name = name),
    )
    fault_run_program(
        name = name,
        srcs = [patched] + headers,
        fixtures = "//fault_injection/scenario:no_fixtures",
        linkstatic = True,
        tags = ["manual"],
    )
