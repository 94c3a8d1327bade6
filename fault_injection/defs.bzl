"""Tests made of fault scenarios; docs/scenarios.md is the guide.

    load("@rollcall//fault_injection:defs.bzl", "fault_scenario_test")

    fault_scenario_test(
        name = "lost_rank",
        scenario = "lost_rank.textproto",
    )

There are also fault_sweep_test, which makes every system call of a workload fail in its turn, and
fault_coverage_test, the gate.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary")

_FAULT_RUN = Label("//tools:fault_run")
_FAULT_RUN_MAIN = Label("//tools:fault_run_main")
_FAULT_PROCESS = Label("//tools:fault_process")
_FAULT_PROCESS_MAIN = Label("//tools:fault_process_main")
_FAULT_SWEEP = Label("//tools:fault_sweep")
_FAULT_COVERAGE = Label("//tools:fault_coverage")
_CONTRACT = Label("//fault_injection/sweep:contract.textproto")

def fault_run_program(name, fixtures, **kwargs):
    """A fault_run that knows steps of the user's own, for `program` of the tests below.

    Args:
      name: of the program.
      fixtures: a cc_library that defines UserFixtures() (fault_injection/scenario/fixtures.h).
      **kwargs: as of cc_binary.
    """
    cc_binary(
        name = name,
        testonly = kwargs.pop("testonly", True),
        deps = [_FAULT_RUN_MAIN, fixtures],
        **kwargs
    )

# One program serves all the tests of a kind: nothing is linked for another file.
def _run_as_test(name, program, args, data, size, kwargs):
    native.sh_test(
        name = name,
        size = kwargs.pop("size", size),
        srcs = [program],
        args = args,
        data = data,
        **kwargs
    )

def fault_scenario_test(name, scenario, seeds = 0, program = _FAULT_RUN, **kwargs):
    """A test that runs one scenario file in the simulator, each seed twice.

    A failure names the seed, shows what every rank saw, and prints the command that runs it again;
    traces and a picture are among the test's undeclared outputs. `--test_arg=--first_seed=N` and
    `--test_arg=--seeds=N` run others.

    Args:
      name: of the test.
      scenario: the file, textproto of scenario.proto.
      seeds: how many; 0: as many as the file says. With shard_count they are shared out.
      program: a fault_run_program, if the scenario has steps of the user's own.
      **kwargs: as of sh_test.
    """
    _run_as_test(
        name,
        program,
        args = (["--seeds=%d" % seeds] if seeds else []) + ["$(location %s)" % scenario],
        data = [scenario],
        size = "small",
        kwargs = kwargs,
    )

def fault_sweep_test(
        name,
        workload,
        contract = _CONTRACT,
        pairs = 200,
        all = False,
        program = _FAULT_SWEEP,
        **kwargs):
    """A test that runs a workload once for each way in which one of its system calls can go wrong.

    Every run must end, leave nothing behind, keep its time-outs, and fail only as the contract
    allows. For a combination that the contract does not have, the test prints a cell that it could
    have. The first and the last call of each kind fail in every way, those in between in one way
    each, in turn.

    Args:
      name: of the test.
      workload: the file, textproto of scenario.proto: no faults, and every step succeeds; or a
        filegroup of several.
      contract: the file, textproto of contract.proto; the library's own if not given.
      pairs: how many pairs of faults are tried.
      all: every call fails in every way, which takes several times as long; also
        `--test_arg=--all`.
      program: with tools:fault_sweep_main, if the workload has steps of the user's own.
      **kwargs: as of sh_test.
    """
    _run_as_test(
        name,
        program,
        args = [
            "--contract=$(location %s)" % contract,
            "--pairs=%d" % pairs,
        ] + (["--all"] if all else []) + ["$(locations %s)" % workload],
        data = [contract, workload],
        size = "medium",
        kwargs = kwargs,
    )

def fault_coverage_test(name, scenarios, workloads, contract = _CONTRACT, seeds = 3, program = _FAULT_COVERAGE, **kwargs):
    """The gate: fails unless scenarios and sweep together reach and assert all that can go wrong.

    That is: every error code, by an expectation of a scenario; every error that a system call may
    give; every cell of the contract and each word in it. The table is printed, and coverage.md and
    coverage.json are among the test's undeclared outputs.

    Args:
      name: of the test.
      scenarios: a filegroup of scenario files.
      workloads: a filegroup of files to sweep.
      contract: the file, textproto of contract.proto; the library's own if not given.
      seeds: how many, of each scenario.
      program: with tools:fault_coverage_main, if there are steps of the user's own.
      **kwargs: as of sh_test.
    """
    _run_as_test(
        name,
        program,
        args = [
            "--contract=$(location %s)" % contract,
            "--workloads='$(locations %s)'" % workloads,
            "--seeds=%d" % seeds,
            "$(locations %s)" % scenarios,
        ],
        data = [contract, scenarios, workloads],
        size = "medium",
        kwargs = kwargs,
    )

def fault_process_program(name, fixtures, **kwargs):
    """A fault_process that knows steps of the user's own, for `process` of fault_scenario_real_test.

    Args:
      name: of the program.
      fixtures: as of fault_run_program.
      **kwargs: as of cc_binary.
    """
    cc_binary(
        name = name,
        testonly = kwargs.pop("testonly", True),
        deps = [_FAULT_PROCESS_MAIN, fixtures],
        **kwargs
    )

def fault_scenario_real_test(
        name,
        scenario,
        program = _FAULT_RUN,
        process = _FAULT_PROCESS,
        **kwargs):
    """A test that runs one scenario file once, with real processes and a proxy between them.

    What cannot be made there fails the test, with the reason. Times may be exceeded by what a
    loaded machine costs.

    Args:
      name: of the test.
      scenario: the file, textproto of scenario.proto.
      program: a fault_run_program, if the scenario has steps of the user's own.
      process: a fault_process_program with the same steps.
      **kwargs: as of sh_test.
    """
    _run_as_test(
        name,
        program,
        args = [
            "--rung=real",
            "--process=$(location %s)" % process,
            "$(location %s)" % scenario,
        ],
        data = [
            process,
            scenario,
        ],
        size = "small",
        kwargs = kwargs,
    )
