# SPDX-License-Identifier: GPL-2.0-or-later
"""`dxg run`: the main job, end to end.

Boots a guest with K doorbell slots and lets dxg-job push a file through the
device: P unprivileged processes, N user-mode queues, more queues than slots.
The report and the output file come back, the device's counters are read
before QEMU goes, and report.py holds all three against each other.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from dxglib import (errors, execcmd, guest, machine, moves, paths, qemu,
                    report, setup, streams, ui)
from dxglib import kernel as kernels
from dxglib.errors import DxgError, SetupError, UsageError
from dxglib.initramfs import RunPart
from dxglib.qmp import QmpError

JOB = "/usr/bin/dxg-job"
INPUT_MAX = 1 << 30
SLOTS = (1, 4096)
QUEUES = (1, 4096)
PROCESSES = (1, 256)
MODELS = ("dedicated", "global")
PAGE = 4096
PACKED_STRIDE = 512
TIMEOUT_S = 300
MOVES = (1, 100)
# Moves take longer than the job does with chunks of 16 KiB, so they get chunks
# that make as many submissions as a busy guest was seen to do in that time.
CHUNK = 16384
MIGRATION_ENTRIES = 16000
SNAPSHOT_ENTRIES = 2000

RUN_TEXT = """\
Do the set-up that is stale, boot a guest and run the main job: P unprivileged
processes push a file through the device by N user-mode queues that share K
doorbell slots; each chunk is copied and its CRC-32C taken by the device, and
checked by the CPU.  Nothing may be lost, nothing done twice, and the device's
own counters must say the same.
"""


def add_parser(commands):
    command = commands.add_parser(
        "run", help="boot a guest, run the main job, print the result",
        usage="dxg run [options]", description=RUN_TEXT)
    add = command.add_argument
    add("--slots", metavar="K", default=4,
        type=execcmd.number("--slots", *SLOTS),
        help=f"physical doorbell slots, {SLOTS[0]}..{SLOTS[1]} "
             "(default %(default)s)")
    add("--queues", metavar="N", default=32,
        type=execcmd.number("--queues", *QUEUES),
        help=f"hardware queues, {QUEUES[0]}..{QUEUES[1]} "
             "(default %(default)s)")
    add("--processes", metavar="P", default=4,
        type=execcmd.number("--processes", *PROCESSES),
        help=f"processes, {PROCESSES[0]}..{PROCESSES[1]}, at most N "
             "(default %(default)s)")
    add("--input", metavar="FILE", type=Path,
        help="the file to push (default: the guest's kernel image)")
    add("--output", metavar="FILE", type=Path,
        help="keep the output file here")
    add("--json", action="store_true", help="print one JSON object")
    add("--doorbell-model", metavar="MODEL", choices=MODELS,
        default=MODELS[0],
        help="dedicated: a slot for each connected queue; global: one for "
             "each process, all of its queues are connected, --slots is not "
             "used (default %(default)s)")
    add("--packed", action="store_true",
        help=f"{PAGE // PACKED_STRIDE} slots to a page, which is one "
             "process's at a time; not with the global model")
    add("--device", metavar="PROPS", default="",
        help="further properties of the device, e.g. threads=2")
    add("--migrate", metavar="M", default=0,
        type=execcmd.number("--migrate", *MOVES),
        help="during the job, move the guest M times to another QEMU, live")
    add("--snapshot", metavar="M", default=0,
        type=execcmd.number("--snapshot", *MOVES),
        help="during the job, save the guest M times, let it go on, and "
             "restore it: in a fresh QEMU and in the same, in turn")
    add("--timeout", metavar="S", default=TIMEOUT_S,
        type=execcmd.number("--timeout", 1, 86400),
        help="seconds until it is a hang (default %(default)s)")
    execcmd.add_machine_options(command)
    command.set_defaults(handler=_run)


def check_input(path):
    """Refuse an input that is missing, unreadable, empty or too large."""
    try:
        with open(path, "rb") as handle:
            size = os.fstat(handle.fileno()).st_size
            handle.read(1)
    except OSError as error:
        raise UsageError(f"--input {path}: {error.strerror}") from None
    if not path.is_file():
        raise UsageError(f"--input {path}: not a regular file")
    if not 1 <= size <= INPUT_MAX:
        raise UsageError(f"--input {path}: {size} bytes; allowed: "
                         f"1..{INPUT_MAX}")
    return size


def _run(options):
    version = kernels.check(options.kernel)
    if options.processes > options.queues:
        raise UsageError(f"--processes {options.processes}: more than "
                         f"--queues {options.queues}; allowed: "
                         f"1..{options.queues}")
    if options.packed and options.doorbell_model != MODELS[0]:
        raise UsageError("--packed: not with --doorbell-model "
                         f"{options.doorbell_model}")
    if options.packed and options.slots * PACKED_STRIDE > PAGE \
            and options.slots * PACKED_STRIDE % PAGE:
        raise UsageError(f"--packed: --slots {options.slots}; allowed: less "
                         f"than {PAGE // PACKED_STRIDE}, or a multiple of it")
    if options.input is not None:
        check_input(options.input)
    setup.ensure(version)
    source = options.input or paths.kernel(version) / "bzImage"
    size = check_input(source)
    if not qemu.info()["dxgpu"]:
        raise SetupError("this QEMU was built without the dxgpu device",
                         "see build/log/qemu-build.log")
    if not (paths.GUEST_ROOT / JOB.lstrip("/")).exists():
        raise SetupError(f"the guest has no {JOB}: guest-lib did not build it",
                         "see build/log/host-build.log")
    # The file is in the guest's memory three times: unpacked from the
    # initramfs, in buffers, and as the output.
    memory = options.memory + 4 * (size >> 20)
    kinds = [("save", "savevm")[number % 2]
             for number in range(options.snapshot)]
    kinds += ["migrate"] * options.migrate
    wanted = (options.migrate * MIGRATION_ENTRIES
              + options.snapshot * SNAPSHOT_ENTRIES)
    command = [JOB, "--queues", str(options.queues),
               "--processes", str(options.processes), "--input", "/job/input",
               "--output", "/out/output", "--json", "/out/report.json"]
    if kinds:
        command += ["--chunk", str(max(1, min(CHUNK, size // wanted)))]
    part = RunPart(
        command, [(source, "/job/input")],
        drivers=execcmd.drivers(version, ",".join(execcmd.DRIVERS)))
    config = machine.Config(
        _device(options),
        options.cpus, memory, version, iommu=options.iommu)
    said = streams.BufferSink()
    run = guest.Guest(config, part, said, said, timeout_s=options.timeout,
                      at_end=_counters,
                      beside=lambda run: moves.during(run, kinds))
    result = run.run()
    return _verdict(options, source, result, said)


def _device(options):
    """The device's properties."""
    words = [f"slots={options.slots}"]
    if options.doorbell_model != MODELS[0]:
        words.append(f"doorbell-model={options.doorbell_model}")
    if options.packed:
        words.append(f"doorbell-stride={PACKED_STRIDE}")
    return ",".join(words + list(filter(None, [options.device])))


def _slots(options):
    """Which doorbells there are, for the reader."""
    if options.doorbell_model == "global":
        return "a doorbell slot for each process"
    return f"{options.slots} doorbell slots" + (
        f", {min(options.slots, PAGE // PACKED_STRIDE)} to a page"
        if options.packed else "")


def _counters(qmp):
    """The device's counters; None when it has none to give."""
    try:
        return qmp.property(f"/machine/peripheral/{machine.DEVICE_ID}",
                            "stats")
    except QmpError as error:
        ui.say(f"the device's counters: {error}")
        return None


def _verdict(options, source, result, said):
    lines = said.bytes().decode(errors="replace").splitlines()
    with tempfile.TemporaryDirectory(prefix="dxg-") as folder:
        out = Path(folder)
        guest.unpack_out(result.out, out)
        try:
            made = report.parse((out / "report.json").read_bytes())
        except FileNotFoundError:
            raise DxgError(
                errors.FAILED, f"the job ended with {result.code} and left "
                "no report; it said:",
                [f"| {line}" for line in lines + result.problems]) from None
        output = out / "output"
        identical = (output.is_file()
                     and output.read_bytes() == source.read_bytes())
        if options.output and output.is_file():
            _keep(options.output, output.read_bytes())
    failures = report.check(made, options.queues, identical, result.at_end)
    failures += report.check_moves(result.moves, options.migrate,
                                   options.snapshot,
                                   made["total"]["submissions"])
    if result.code:
        failures.append(f"the job ended with {result.code}")
    if result.problems:
        failures.append("the guest's kernel log has a problem")
    if options.json:
        print(json.dumps({
            "verdict": "fail" if failures else "pass",
            "failures": failures,
            "seconds": round(result.total_s, 3),
            "boot_seconds": round(result.boot_s, 3),
            "doorbell_model": options.doorbell_model,
            "packed": options.packed,
            "slots": options.slots, "queues": options.queues,
            "cpus": options.cpus,
            "moves": [vars(move) for move in result.moves],
            "total": made["total"], "processes": made["processes"],
            "device": result.at_end}, indent=1))
    else:
        _show(options, source, made, result, identical, failures)
    if failures:
        for line in lines + result.problems:
            print(f"    | {line}", file=sys.stderr)
    return errors.FAILED if failures else errors.PASS


def _show(options, source, made, result, identical, failures):
    size = source.stat().st_size
    print(f"{source.name}, {size / 1e6:.1f} MB: {options.processes} processes,"
          f" {options.queues} queues, {_slots(options)}, "
          f"{options.cpus} virtual CPUs\n")
    print("\n".join(report.table(made)))
    print(f"\noutput   {'identical to the input' if identical else 'WRONG'}, "
          f"{size:,} bytes")
    if result.at_end:
        print(f"device   {report.device_line(result.at_end)}")
    for move in result.moves:
        print(report.move_line(move, made["total"]["submissions"]))
    for failure in failures:
        print(f"wrong    {failure}")
    print(f"{'FAIL' if failures else 'PASS'}     "
          f"{result.total_s:.1f} s from boot to verdict "
          f"(boot {result.boot_s:.1f} s)", flush=True)


def _keep(path, data):
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"--output {path}: {error.strerror}") from None
