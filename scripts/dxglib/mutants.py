# SPDX-License-Identifier: GPL-2.0-or-later
"""`dxg mutants`: break one rule at a time, and see a test fail.

The mutants are those of tests/mutants (mutant_table.py), and the broken variants
of the model (tests/model/run-model), which stand for what no processor of ours
does.  A mutant is killed when its test fails with it and not without it; a
mutant that does not compile or does not fit, or a test that fails without any,
is an error.
"""

import argparse
import dataclasses
import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from dxglib import (errors, evidence, execcmd, kernel, mutant_build,
                    mutant_table, paths, proc, qemu, requirements, runner,
                    setup, testlist, ui)
from dxglib.errors import DxgError, UsageError
from dxglib.mutant_table import TableError

MUTANTS_TEXT = """\
For each rule that tests/mutants breaks: put the edit into a copy of the sources,
build, run the test that has to notice, and see it fail.  The broken variants of
the model in tests/model count as well.

Succeeds when every mutant is killed but those with a reason to survive.  The
last line is "N killed, N survived, N not testable"; the last are rules without a
mutant, with their reasons in tests/mutants/none.txt.
"""

KILLED, SURVIVED, ERROR = "killed", "survived", "error"
MODEL = paths.TESTS / "model/run-model"
MODEL_PREFIX = "model-"
MODEL_LIMIT_S = 600
# A guest that hangs shows a mutant as well: not waited for as long as its test
# would, but for so many times what it takes without a mutant, and so much more.
HANG_FACTOR = 4
HANG_EXTRA_S = 20
# A mutant is judged by the usual counts on the usual machine, whoever asks for it.
USUAL = {execcmd.LONG: "0", "DXG_IOMMU": "0", "DXG_KERNEL": kernel.DEFAULT,
         "DXG_QEMU": qemu.PLAIN.name}
# What `dxg exec` returns when it could not run anything.
SETUP_FAILED = f"exit status {errors.SETUP}"


@dataclass
class Verdict:
    """How one mutant ended; why: the test's first failure, or what is wrong."""

    mutant: object
    result: str
    why: str
    seconds: float


def add_parser(commands):
    command = commands.add_parser(
        "mutants", help="break each rule and see a test fail",
        description=MUTANTS_TEXT,
        usage="dxg mutants [-k TEXT]... [--list] [--json FILE] [--tap]")
    add = command.add_argument
    add("-k", metavar="TEXT", action="append", default=[], dest="filters",
        help="only mutants with TEXT in name, ids or test; may be repeated")
    add("--list", action="store_true", help="name the mutants, run none")
    add("--json", metavar="FILE", type=Path, help="write the verdicts, too")
    add("--tap", action="store_true", help="print TAP")
    command.set_defaults(handler=_mutants)


def _mutants(options):
    spec = requirements.read_spec(requirements.SPEC.read_text())
    table = mutant_table.load() + model(spec)
    chosen = choose(table, options.filters)
    if not chosen:
        raise UsageError(f"-k {' -k '.join(options.filters)}: no mutant's "
                         "name, ids or test contain that; --list names them")
    if options.list:
        for mutant in chosen:
            print(f"{mutant.name:<36} {mutant.test:<26} "
                  f"{' '.join(mutant.shows)}: {mutant.breaks}")
        return errors.PASS
    if options.json is not None:
        _check_file(options.json)
    # What is wrong with the table as a whole is told by whoever runs all of it.
    reasons = {} if options.filters else mutant_table.without(spec)
    wrong = [] if options.filters else mutant_table.complaints(
        spec, {name for mutant in table for name in mutant.shows}, reasons,
        table)
    return _run_all(options, chosen, reasons, wrong)


def _check_file(path):
    try:
        with open(path, "ab"):
            pass
    except OSError as error:
        raise UsageError(f"--json {path}: {error.strerror}") from None


def model(spec):
    """A Mutant for each broken variant of the model; it has no edits."""
    listed = proc.output([MODEL, "--broken", "--long", "--list"])
    found = {}
    for line in listed.splitlines():
        title, options, _ = json.loads(line)
        broken = [word for word in options.split() if word.startswith("BAD_")]
        name = MODEL_PREFIX + "-".join(broken)[4:].lower().replace("_", "-")
        if name in found:
            name += "-again"
        shows = requirements.names(title, spec.requirements)
        found[name] = mutant_table.Mutant(
            name, "run-model", title.partition(" (")[0], shows,
            f"model:{title}")
    return list(found.values())


def choose(table, filters):
    """Those that -k asks for."""
    return [mutant for mutant in table
            if not filters or any(
                text in mutant.name or text in mutant.shows
                or text in mutant.test for text in filters)]


def _run_all(options, chosen, reasons, wrong):
    setup.ensure()
    begin = time.monotonic()
    lab = Lab()
    verdicts = []
    if options.tap:
        print(f"1..{len(chosen)}", flush=True)
    # One test after the other, so that what is built for it is built once.
    chosen = sorted(chosen, key=lambda mutant: mutant.test.partition(":")[0])
    with mutant_build.lock():
        for number, mutant in enumerate(chosen, 1):
            verdict = lab.judge(mutant)
            verdicts.append(verdict)
            _show(verdict, number if options.tap else None)
        lab.clean()
    elapsed = time.monotonic() - begin
    if options.json is not None:
        _write(options.json, verdicts, reasons, elapsed)
    mark = "# " if options.tap else ""
    for name, reason in reasons.items():
        print(f"{mark}not testable: {name}: {reason}")
    for complaint in wrong:
        print(f"{mark}tests/mutants: {complaint}")
    print(f"{mark}{len(verdicts)} mutants in {ui.seconds(elapsed)}")
    print(mark + summing_up(verdicts, reasons), flush=True)
    return (errors.PASS if all(map(good, verdicts)) and not wrong
            else errors.FAILED)


def good(verdict):
    """Killed, or survived as the table says."""
    return verdict.result == (SURVIVED if verdict.mutant.survives else KILLED)


def summing_up(verdicts, reasons):
    """The last line."""
    counts = {result: sum(verdict.result == result for verdict in verdicts)
              for result in (KILLED, SURVIVED, ERROR)}
    wrong = f", {counts[ERROR]} could not be run" if counts[ERROR] else ""
    return (f"{counts[KILLED]} killed, {counts[SURVIVED]} survived, "
            f"{len(reasons)} not testable{wrong}")


def _show(verdict, number):
    mutant = verdict.mutant
    why = verdict.why
    if verdict.result == SURVIVED and mutant.survives:
        why = f"expected: {mutant.survives}"
    elif mutant.survives:
        why = f"but the table says that it survives: {mutant.survives}"
    if number is not None:
        mark = "ok" if good(verdict) else "not ok"
        print(f"{mark} {number} - {mutant.name}: {mutant.breaks} "
              f"({' '.join(mutant.shows)})\n# {verdict.result} by "
              f"{mutant.test} in {ui.seconds(verdict.seconds)}: {why}",
              flush=True)
        return
    result = verdict.result if verdict.result == KILLED \
        else verdict.result.upper()
    print(f"{result:<8} {mutant.name:<36} {mutant.test[:28]:<28} "
          f"{ui.seconds(verdict.seconds):>8}  {why}", flush=True)
    if verdict.result == SURVIVED and not mutant.survives:
        print(f"         {' '.join(mutant.shows)}: {mutant.breaks}",
              flush=True)


def _write(path, verdicts, reasons, elapsed):
    path.write_text(json.dumps({
        "seconds": round(elapsed, 1),
        "not testable": reasons,
        "mutants": [{
            "name": verdict.mutant.name, "breaks": verdict.mutant.breaks,
            "shows": verdict.mutant.shows, "test": verdict.mutant.test,
            "result": verdict.result, "why": verdict.why,
            "seconds": round(verdict.seconds, 1),
        } for verdict in verdicts]}, indent=1) + "\n")


class Lab:
    """Where mutants are built and tested.

    without  {(test, parts): seconds that it takes without any mutant, or why it
             fails}
    """

    def __init__(self):
        self.tests = {test.title: test for test in testlist.load()}
        self.without = {}

    def judge(self, mutant):
        """The Verdict on a mutant; an error of its own is one as well."""
        begin = time.monotonic()
        try:
            if mutant.edits:
                result, why = self._test(mutant)
            else:
                result, why = _model_run(mutant)
        except DxgError as error:
            result = ERROR
            why = "\n         | ".join([error.message, *error.detail])
        return Verdict(mutant, result, why, time.monotonic() - begin)

    def _test(self, mutant):
        test = self.tests.get(mutant.test)
        if test is None:
            raise TableError(f"{mutant.origin}: no test {mutant.test}; `dxg "
                             "test --list` names them")
        parts = parts_of(test, mutant.edits)
        key = (test.title, parts)
        if key not in self.without:
            mutant_build.mirror({})
            self.without[key] = self._without(test, parts)
        seconds = self.without[key]
        if isinstance(seconds, str):
            return ERROR, f"the test fails without the mutant: {seconds}"
        texts = mutant.texts()
        mutant_build.mirror(texts)
        outcome = _run(prepared(test, parts, mutant.edits),
                       f"mutant:{mutant.name}",
                       HANG_FACTOR * seconds + HANG_EXTRA_S)
        if outcome.error == SETUP_FAILED:
            return ERROR, _first_line(outcome.stderr)
        failures = outcome.summary.failures
        if not failures:
            return SURVIVED, f"{outcome.summary.passed} results passed"
        evidence.clear(outcome.title)
        return KILLED, failures[0]

    def _without(self, test, parts):
        outcome = _run(prepared(test, parts, ()), f"mutant:none:{test.name}",
                       None)
        if outcome.summary.failed:
            return outcome.summary.failures[0]
        return outcome.seconds

    def clean(self):
        """Leave no mutant behind."""
        if mutant_build.SRC.exists():
            mutant_build.mirror({})


def parts_of(test, edits):
    """What is to be built for TEST to meet EDITS: ("host",), ("device",), or
    of "driver" and "library" what they concern."""
    if test.suite == "unit":
        return ("host",)
    if test.suite == "qtest" and all(path.startswith("hw/dxgpu/")
                                     and path.endswith(".c") for path in edits):
        return ("device",)
    if not test.boots:
        raise TableError(f"no mutant of {', '.join(edits)} can be tested by "
                         f"{test.title}")
    places = {"guest-driver": "driver", "guest-lib": "library"}
    found = set()
    for path in edits:
        top = path.partition("/")[0]
        if top not in places:
            raise TableError(f"{path} cannot be mutated for {test.title}")
        found.add(places[top])
    return tuple(sorted(found))


def prepared(test, parts, edits):
    """TEST as it runs on the copy of the sources, which is built for it.

    Its guest need not boot for each mutant: modules are inserted afterwards.
    """
    if parts == ("device",):
        binary = mutant_build.device(edits)
        return dataclasses.replace(test, env=test.env | {
            "DXG_QEMU_BINARY": str(binary)})
    if parts == ("host",):
        target = Path(test.command[0]).relative_to(paths.HOST)
        command = [str(mutant_build.host(target)), *test.command[1:]]
        return dataclasses.replace(test, command=command,
                                   folder=str(mutant_build.HOST))
    command, env = list(test.command), dict(test.env)
    if "driver" in parts:
        env[execcmd.MODULES] = str(mutant_build.driver(kernel.DEFAULT))
    if "library" in parts:
        command[2:2] = ["--copy", f"{mutant_build.library()}:"
                        f"{mutant_build.LIBRARY_IN_GUEST}"]
    return dataclasses.replace(test, command=command, env=env, restored=True)


def _run(test, title, limit_s):
    """Run a test once; in at most limit_s of its guest's time."""
    if limit_s is not None:
        command = list(test.command)
        if "--timeout" in command:
            at = command.index("--timeout") + 1
            command[at] = str(min(int(command[at]), int(limit_s)))
            limit_s += testlist.GUEST_EXTRA_S
        test = dataclasses.replace(test, command=command,
                                   timeout_s=min(test.timeout_s or limit_s,
                                                 limit_s))
    test = dataclasses.replace(test, env=test.env | USUAL)
    return next(runner.run_all([(test, title)], 1, until_failure=True))


def _first_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "no output"


def _model_run(mutant):
    title = mutant.test.removeprefix("model:")
    done = subprocess.run([MODEL, "--broken", "-k", title], text=True,
                          check=False, timeout=MODEL_LIMIT_S,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines = done.stdout.splitlines()
    ended = [line for line in lines if line.startswith(("ok 1", "not ok 1"))]
    if len(ended) != 1:
        raise DxgError(errors.SETUP, "run-model gives no result", lines[-5:])
    told = next((line[2:] for line in lines if line.startswith("# ")), "")
    return KILLED if done.returncode == 0 else SURVIVED, told
