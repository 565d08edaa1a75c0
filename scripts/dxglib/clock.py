# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's time-stamp counter, told to the guest's kernel.

Under TCG the guest's counter is the host's, and the kernel measures it
against an emulated timer.  On a busy host that goes wrong (seen: 69 MHz for
2600), and the guest's time runs as much too fast: time-outs and stall
warnings of healthy guests.  So it is measured here, once per boot of the host.
"""

from pathlib import Path

from dxglib import paths, proc

PROGRAM = paths.SCRIPTS / "tsc-khz.c"
RESULT = paths.BUILD / "tsc-khz"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Outside of these it is no measurement; without one the kernel does its own.
KHZ = range(500_000, 10_000_000)


def inputs():
    return (PROGRAM, BOOT_ID.read_text() if BOOT_ID.exists() else "")


def measure(context):
    """Write the counter's frequency in kHz to RESULT."""
    program = RESULT.with_suffix(".bin")
    context.command(["gcc", "-O2", "-Wall", "-Werror", "-o", program,
                     PROGRAM], "compiling tsc-khz.c")
    RESULT.write_text(proc.output([program]))
    program.unlink()
    return f"{RESULT.read_text().strip()} kHz"


def kernel_args():
    """Words for the guest's kernel; none if there is no measurement."""
    try:
        khz = int(RESULT.read_text())
    except (OSError, ValueError):
        return []
    return [f"tsc_early_khz={khz}"] if khz in KHZ else []
