# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: arguments, signals, exit code."""

import argparse
import signal
import sys

from dxglib import errors, kernel, ui
from dxglib.errors import DxgError, Terminated

DESCRIPTION = """\
dxgpu's one command: does whatever set-up is stale, then what it is asked for.

  dxg run                    boot a guest, run the main job, print the result
  dxg test [-k TEXT]...      run the tests
  dxg exec [...] -- CMD ARGS run your program or driver in the guest
  dxg shell                  the same, interactive
  dxg lint                   check the sources
  dxg requirements           which test shows which requirement
  dxg mutants                break each rule and see a test fail
  dxg setup [--only STEP]    only the set-up
"""
EPILOG = """\
exit codes: 0 pass, 1 test or job failed, 2 usage, 3 set-up, 4 guest panic,
5 hang (time-out).  exec returns the exit code of the program in the guest;
dxg's own failures are told by a line "dxg: ..." on stderr.
QEMU_SRC=DIR and KERNEL_DEBS=DIR name local copies instead of downloads.
"""


class _Parser(argparse.ArgumentParser):
    """argparse, but --help of a command shows the whole option text."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("formatter_class",
                          argparse.RawDescriptionHelpFormatter)
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, **kwargs)


def parser():
    """The parser of all commands; each module adds its own."""
    from dxglib import execcmd, lint, mutants, requirements, run, test

    top = _Parser(prog="dxg", description=DESCRIPTION, epilog=EPILOG)
    commands = top.add_subparsers(dest="command", metavar="COMMAND",
                                  required=True)
    run.add_parser(commands)
    test.add_parser(commands)
    lint.add_parser(commands)
    requirements.add_parser(commands)
    mutants.add_parser(commands)
    execcmd.add_parsers(commands)
    _add_setup(commands)
    return top


def _add_setup(commands):
    command = commands.add_parser(
        "setup", help="do the set-up that is stale",
        description="Do the set-up that is stale; logs are in build/log.")
    command.add_argument("--only", metavar="STEP",
                         help="just this step; an unknown name lists them")
    command.add_argument("--kernel", default=kernel.DEFAULT, metavar="V",
                         help=f"{kernel.HELP} (default %(default)s)")
    command.set_defaults(handler=_setup)


def _setup(options):
    from dxglib import setup

    setup.ensure(kernel.check(options.kernel), options.only)
    return errors.PASS


def _terminate(_number, _frame):
    raise Terminated


def main(arguments):
    """Run dxg; returns the exit code."""
    # A background job of a script inherits SIGINT ignored; whoever sends it
    # to dxg by name still means it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGHUP, _terminate)
    try:
        options = parser().parse_args(arguments)
        return options.handler(options)
    except DxgError as error:
        ui.show(error)
        return error.code
    except KeyboardInterrupt:
        ui.say("interrupted")
        return errors.SIGINT
    except Terminated:
        ui.say("terminated")
        return errors.SIGTERM
    except BrokenPipeError:
        # The reader of our stdout is gone (| head): nobody to tell.
        sys.stdout = None
        return errors.FAILED
    except OSError as error:
        # No space, no permission: build/ cannot be used as it must.
        ui.say(f"{error.filename or 'system'}: {error.strerror}")
        return errors.SETUP
