# SPDX-License-Identifier: GPL-2.0-or-later
"""Exit codes and the one exception that carries them.

The codes are part of dxg's interface (scripts and CI read them):

    0  pass
    1  a test or the job failed, or the guest's kernel log has a warning
    2  usage: an argument is wrong
    3  set-up: a package, a download, a build; or QEMU does not start
    4  the guest's kernel panicked
    5  hang: the time-out ran out
    130, 143  ended by SIGINT, SIGTERM

`dxg exec` returns the exit code of the program in the guest; a program that
itself returns 2 to 5 is told apart by the line "dxg: ..." that dxg prints on
stderr for each of its own failures.
"""

PASS = 0
FAILED = 1
USAGE = 2
SETUP = 3
PANIC = 4
HANG = 5
SIGINT = 130
SIGTERM = 143


class DxgError(Exception):
    """A failure with an exit code, a message and lines that help.

    message says what is wrong and names the value; detail holds lines to show
    below it: a log's tail, a command to run, the likely cause.
    """

    def __init__(self, code, message, detail=()):
        super().__init__(message)
        self.code = code
        self.message = message
        self.detail = [detail] if isinstance(detail, str) else list(detail)


class UsageError(DxgError):
    """A wrong argument: names the value and what is allowed."""

    def __init__(self, message, detail=()):
        super().__init__(USAGE, message, detail)


class SetupError(DxgError):
    """A set-up step that cannot be done."""

    def __init__(self, message, detail=()):
        super().__init__(SETUP, message, detail)


class Terminated(BaseException):
    """SIGTERM arrived; like KeyboardInterrupt it passes `except Exception`."""
