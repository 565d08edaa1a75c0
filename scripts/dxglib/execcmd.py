# SPDX-License-Identifier: GPL-2.0-or-later
"""`dxg exec` and `dxg shell`: anybody's program or driver in the guest."""

import argparse
import contextlib
import os
import shutil
import sys
import termios
import tty
from pathlib import Path, PurePosixPath

from dxglib import (errors, guest, kernel, machine, modules, paths, qemu,
                    ready, setup, streams, ui)
from dxglib.errors import DxgError, UsageError
from dxglib.initramfs import RunPart

EXEC_TEXT = """\
Boot a guest, run CMD in it as root with our stdin, stdout and stderr, and
return its exit code.  Files that it leaves in /out come back to --out DIR.
The guest runs its own copies: of CMD when it is a file on the host (it is
copied to /dxg/bin), of --copy files, and of the libraries that these need.

A WARNING, BUG or Oops in the guest's kernel log makes the exit code 1, with
the lines shown.  Guest panic is 4, time-out is 5.

DXG_LONG=1 in the environment is passed on to CMD: the tests' full counts.
Then DXG_LONG_TIMEOUT, in seconds, is the time-out if it is the longer one.
"""
DEFAULT_TIMEOUT_S = 120
# `dxg test --long` sets the first, a test's entry in meson the second.
LONG = "DXG_LONG"
LONG_TIMEOUT = "DXG_LONG_TIMEOUT"
# A folder with another build of our modules, for the tests of mutants.
MODULES = "DXG_MODULES"
RARE_EVENTS = ("dxgpu_fault", "dxgpu_reset_done", "dxgpu_*_bad_access")
DRIVERS = ("dxgkrnl", "dxgpu")


def add_parsers(commands):
    command = commands.add_parser(
        "exec", help="run a program or driver in the guest",
        usage="dxg exec [options] -- CMD [ARGS]", description=EXEC_TEXT)
    _add_options(command)
    command.add_argument("--timeout", metavar="S", default=DEFAULT_TIMEOUT_S,
                         type=number("--timeout", 1, 86400),
                         help="seconds from boot until it is a hang, 1..86400 "
                              "(default %(default)s)")
    command.add_argument("--tap", action="store_true",
                         help="CMD prints TAP: a kernel warning becomes "
                              "'Bail out!'; no stdin")
    command.add_argument("--restore", action="store_true",
                         help="do not boot, but go on from a machine that has "
                              "booted and was saved; save one if there is "
                              "none")
    command.add_argument("argv", nargs=argparse.REMAINDER, metavar="CMD",
                         help=argparse.SUPPRESS)
    command.set_defaults(handler=_exec)

    command = commands.add_parser(
        "shell", help="a shell in the guest",
        usage="dxg shell [options]",
        description="Boot a guest with a shell on this terminal; `exit` or "
                    "Ctrl-D ends it.  Without a terminal the shell reads "
                    "commands from stdin.")
    _add_options(command)
    command.set_defaults(handler=_shell)


def _add_options(command):
    add = command.add_argument
    add("--module", action="append", default=[], metavar="M.ko[:P=V]...",
        help="insert this module, after ours, with these parameters; may be "
             "repeated")
    add("--drivers", metavar="LIST", default=",".join(DRIVERS),
        help="our modules to insert, in order, or 'none' (default "
             "%(default)s); with parameters: dxgnull:slots=1:notify=1")
    add("--test-modules", action="store_true",
        help="the guest has our modules' test build, with hooks for tests")
    add("--copy", action="append", default=[], metavar="F[:DEST]",
        help="copy file F to /root in the guest, or to DEST; may be repeated")
    add("--device", metavar="PROPS", default="",
        help="properties of the device, e.g. slots=4,threads=0")
    add("--no-device", action="store_true", help="boot without the device")
    add("--out", metavar="DIR", type=Path,
        help="where the files of the guest's /out go")
    add("--append", metavar="ARGS", default="",
        help="more words for the kernel's command line")
    add("--qemu", metavar="ARG", action="append", default=[],
        help="one more word for QEMU's command line, e.g. --qemu=-trace "
             "--qemu='dxgpu_*'; may be repeated")
    add("--keep-console", metavar="FILE", type=Path,
        help="keep the kernel's console in FILE")
    add("--evidence", metavar="DIR", type=Path,
        help="leave console.log, qemu.log and trace.log, the device's trace, "
             "in DIR")
    add("--s3", action="store_true",
        help="the guest can sleep in ACPI S3: it boots by SeaBIOS, which takes "
             "some seconds more")
    add_machine_options(command)


def add_machine_options(command):
    """Options that `run` has too."""
    command.add_argument(
        "--cpus", metavar="C", default=2,
        type=number("--cpus", machine.CPUS[0], machine.CPUS[-1]),
        help=f"virtual CPUs, {machine.CPUS[0]}..{machine.CPUS[-1]} "
             "(default %(default)s)")
    command.add_argument(
        "--memory", metavar="MB", default=512,
        type=number("--memory", machine.MEMORY_MB[0], machine.MEMORY_MB[-1]),
        help=f"memory in MB, {machine.MEMORY_MB[0]}..{machine.MEMORY_MB[-1]} "
             "(default %(default)s)")
    # `dxg test` tells --iommu and --kernel to the tests' own dxg in this way.
    command.add_argument(
        "--iommu", action="store_true",
        default=os.environ.get("DXG_IOMMU") == "1",
        help="with an Intel IOMMU, and intel_iommu=on in the guest")
    command.add_argument("--kernel", metavar="V",
                         default=os.environ.get("DXG_KERNEL", kernel.DEFAULT),
                         help=f"{kernel.HELP} (default %(default)s)")


def number(option, low, high):
    """argparse type: an integer of low..high."""
    def parse(text):
        if not text.isascii() or not text.isdigit() \
                or not low <= int(text) <= high:
            raise UsageError(f"{option} {text}: not a number of "
                             f"{low}..{high}")
        return int(text)
    return parse


def drivers(version, listed):
    """Our modules to insert, "NAME PARAMETER=VALUE ..."; `listed` is
    --drivers' value."""
    have = modules.built(version)
    if listed == "none":
        return []
    chosen = [word.split(":") for word in listed.split(",") if word]
    for name, *_ in chosen:
        if name not in have and (listed != ",".join(DRIVERS) or have):
            raise UsageError(f"--drivers {name}: no such module; there are: "
                             + (", ".join(have) or "none"))
    return [" ".join(words) for words in chosen if words[0] in have]


def _test_modules(options):
    """Modules that replace the image's own: {name: path}."""
    named = os.environ.get(MODULES)
    if named:
        return modules.built(options.kernel, named)
    if not options.test_modules:
        return {}
    found = modules.built(options.kernel, "test")
    if not found:
        raise DxgError(errors.SETUP, "the modules' test build is not there",
                       [f"run: scripts/dxg setup --only "
                        f"test-modules-{options.kernel}"])
    return found


def device(options):
    """The device's properties, None for no device."""
    if options.no_device or not qemu.info()["dxgpu"]:
        if options.device:
            raise UsageError(f"--device {options.device}: " + (
                "contradicts --no-device" if options.no_device else
                "this QEMU was built without the device (hw/dxgpu has no "
                "meson.build)"))
        return None
    return options.device


def _readable(option, path):
    if not path.is_file() or not os.access(path, os.R_OK):
        reason = ("does not exist" if not path.exists() else
                  "is not a readable file")
        raise UsageError(f"{option} {path}: {reason}")
    return path


def _inserts(options):
    """[(module on the host, its parameters)], as --module has them."""
    words = [text.split(":") for text in options.module]
    return [(_readable("--module", Path(name)), " ".join(parameters))
            for name, *parameters in words]


def _copies(options):
    found = []
    for text in options.copy:
        name, _, place = text.partition(":")
        source = _readable("--copy", Path(name))
        place = PurePosixPath(place or f"/root/{source.name}")
        if not place.is_absolute() or ".." in place.parts:
            raise UsageError(f"--copy {text}: DEST {place} is not an absolute "
                             "path")
        found.append((source, str(place)))
    return found


def _command(options, copies):
    """The guest's argv; a program of the host is copied along."""
    argv = list(options.argv)
    if argv and argv[0] == "--":
        argv = argv[1:]
    if not argv:
        raise UsageError("exec needs a command: dxg exec [options] -- CMD "
                         "[ARGS]")
    named = Path(argv[0])
    staged = paths.GUEST_ROOT / argv[0].lstrip("/")
    system = named.is_absolute() and (
        staged.exists() or str(named).startswith(("/usr/", "/bin/", "/sbin/")))
    if "/" in argv[0] and named.is_file() and not system:
        place = f"/dxg/bin/{named.name}"
        copies.append((_readable("command", named), place))
        argv[0] = place
    return argv


def _exec(options):
    # Every argument is checked before any set-up is done.
    version = options.kernel = kernel.check(options.kernel)
    copies = _copies(options)
    argv = _command(options, copies)
    inserts = _inserts(options)
    setup.ensure(version, test_modules=options.test_modules)
    environment, timeout_s = _long(options.timeout)
    part = RunPart(argv, copies, inserts, drivers(version, options.drivers),
                   replaced=_test_modules(options), environment=environment)
    out, err = streams.FileSink(1), streams.FileSink(2)
    stdin = None if options.tap else _stdin()
    config = _config(options)
    saved = ready.saved(config) if options.restore else None
    run = guest.Guest(config, part, out, err, stdin, timeout_s,
                      evidence=options.evidence, saved=saved)
    return _report(options, run, options.tap)


def _long(timeout_s):
    """The command's environment and the time-out, with DXG_LONG or without."""
    if os.environ.get(LONG) != "1":
        return {}, timeout_s
    text = os.environ.get(LONG_TIMEOUT, "1")
    return {LONG: "1"}, max(timeout_s, number(LONG_TIMEOUT, 1, 86400)(text))


def _shell(options):
    version = options.kernel = kernel.check(options.kernel)
    copies = _copies(options)
    inserts = _inserts(options)
    setup.ensure(version, test_modules=options.test_modules)
    interactive = os.isatty(0) and os.isatty(1)
    settings = {}
    if interactive:
        size = shutil.get_terminal_size()
        settings = {"DXG_TTY": 1, "DXG_ROWS": size.lines,
                    "DXG_COLS": size.columns,
                    "DXG_TERM": os.environ.get("TERM", "linux")}
        ui.say("booting; `exit` or Ctrl-D ends the guest")
    part = RunPart(None, copies, inserts, drivers(version, options.drivers),
                   settings, replaced=_test_modules(options))
    run = guest.Guest(_config(options, interactive), part,
                      streams.FileSink(1), streams.FileSink(2), _stdin(),
                      evidence=options.evidence)
    with _raw_terminal() if interactive else contextlib.nullcontext():
        return _report(options, run)


def config_of(options):
    """The machine of an exec with these OPTIONS, as they were parsed."""
    options.kernel = kernel.check(options.kernel)
    return _config(options)


def _config(options, interactive=False):
    return machine.Config(device(options), options.cpus, options.memory,
                          options.kernel, options.append, interactive,
                          tuple(options.qemu), options.iommu, _trace(options),
                          options.s3)


def _trace(options):
    """QEMU's words for a trace of the device, if it is asked for."""
    if options.evidence is None:
        return ()
    # Of the full counts it would be gigabytes.
    wanted = RARE_EVENTS if os.environ.get(LONG) == "1" else ("dxgpu_*",)
    return (*(word for event in wanted for word in ("-trace", event)),
            "-d", "guest_errors", "-D", options.evidence / "trace.log")


def _stdin():
    """Our stdin's descriptor; None when it is closed."""
    try:
        os.fstat(0)
    except OSError:
        return None
    return 0


@contextlib.contextmanager
def _raw_terminal():
    """The terminal passes every key to the guest."""
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def _report(options, run, tap=False):
    """Run the guest, keep what was asked for; the exit code."""
    try:
        result = run.run()
    finally:
        if options.keep_console:
            _keep_console(options.keep_console, run.console)
    if options.out:
        guest.unpack_out(result.out, options.out)
    if not result.problems:
        return result.code
    lines = result.problems
    if tap:
        sys.stdout.write("".join(f"# {line}\n" for line in lines)
                         + f"Bail out! kernel log: {lines[0]}\n")
        sys.stdout.flush()
    raise DxgError(errors.FAILED, "the guest's kernel log has a problem (the "
                   f"command itself returned {result.code}); all of it: "
                   f"{run.folder.relative_to(paths.REPO)}/console.log",
                   [f"| {line}" for line in lines])


def _keep_console(path, data):
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"--keep-console {path}: {error.strerror}") from None
