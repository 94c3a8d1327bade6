"""Fuzz targets: a function `LLVMFuzzerTestOneInput` that is a test of its corpus in every build."""

load("@rules_cc//cc:defs.bzl", "cc_test")

def rollcall_fuzz_target(name, corpus, tags = [], deps = [], **kwargs):
    """A libFuzzer target, and at once a test that runs it over its corpus.

    `bazel test //...` feeds it each file of the corpus. Under --config=fuzz the same target is a
    libFuzzer binary: `bazel run --config=fuzz //package:name -- -max_total_time=60 [CORPUS_DIR]`.

    Args:
      name: ends in _fuzz.
      corpus: the seed files, for example glob(["corpus/**"]).
      tags: "fuzz" is added, by which all fuzz targets are found.
      deps: as of cc_test.
      **kwargs: as of cc_test.
    """
    cc_test(
        name = name,
        size = kwargs.pop("size", "small"),
        # Where libFuzzer is the main, its arguments are its own: a corpus file would be run once
        # and the run would end there.
        args = select({
            "//third_party/libfuzzer:fuzzing": [],
            "//conditions:default": ["$(locations %s)" % label for label in corpus],
        }),
        data = corpus,
        tags = tags + ["fuzz"],
        deps = deps + ["//third_party/libfuzzer:driver"],
        **kwargs
    )
