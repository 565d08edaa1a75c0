# SPDX-License-Identifier: GPL-2.0-or-later
"""The virtual machine: QEMU's command line and its channels.

Every channel is a socket pair whose one end QEMU inherits: no name in the
file system.

    console   the kernel's serial console, both ways (for SysRq)
    ctl       lines from /init: "save", "ready", "error TEXT", "exit CODE";
              to a guest that was saved, what it is to do (ready.py)
    stdin, stdout, stderr   of the command
    out       a tar stream of /out
    host      the side channel, see hostport.py
    tty       with `tty`: a terminal (hvc0) instead of stdin and stdout

A machine may go on in another QEMU (see moves.py), which inherits the same
ends: what the first one did not read or what we did not read is still in
the sockets, in order, and nobody has to hand it over.  So we keep QEMU's ends
open, and its end is seen by its process, not as end of file.  Only qmp, QEMU's
control, is a pair of its own for each QEMU.
"""

import contextlib
import os
import socket
import subprocess
from dataclasses import dataclass

from dxglib import clock, paths, proc, qemu
from dxglib import kernel as kernels
from dxglib.qmp import Qmp, QmpError

# TCG is the reference everywhere.  These words save a fifth of the boot and
# change nothing that a driver sees (measured, one by one and together).
# iomem=relaxed: dxg-info reads the registers while the driver has them.
KERNEL_ARGS = ("console=ttyS0 loglevel=5 panic=-1 oops=panic rdinit=/init "
               "tsc=reliable no_timer_check nokaslr mitigations=off "
               "8250.nr_uarts=1 random.trust_cpu=on cryptomgr.notests "
               "iomem=relaxed")
# Strict: what the driver has unmapped is out of reach at once.
IOMMU_ARGS = ("intel_iommu=on", "iommu.strict=1")
PORTS = ("ctl", "stdin", "stdout", "stderr", "out", "host")
DEVICE_ID = "dxg0"
DEVICE_PATH = f"/machine/peripheral/{DEVICE_ID}"

CPUS = range(1, 17)
MEMORY_MB = range(128, 16385)


@dataclass(frozen=True)
class Config:
    """What is chosen for one machine.

    iommu    with an Intel IOMMU that the guest's kernel uses
    s3       the guest can sleep in ACPI S3
    device   properties of dxgpu ("slots=4,threads=0"); None: no device
    extra    further words for QEMU's command line
    trace    likewise; they change nothing for the guest
    """

    device: str | None = ""
    cpus: int = 2
    memory_mb: int = 512
    kernel: str = kernels.DEFAULT
    append: str = ""
    tty: bool = False
    extra: tuple = ()
    iommu: bool = False
    trace: tuple = ()
    s3: bool = False


class Emulator:
    """A QEMU process: process, qmp, and gone, readable when it has ended."""

    def __init__(self, argv, fds, log):
        """Start ARGV, which inherits FDS and gets its qmp from here."""
        self.channel, theirs = socket.socketpair()
        self.channel.setblocking(False)
        with theirs:
            self.process = proc.spawn(
                [*argv, "-chardev", f"socket,id=qmp,fd={theirs.fileno()}",
                 "-mon", "chardev=qmp,mode=control"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=[*fds, theirs.fileno()])
        self.gone = os.pidfd_open(self.process.pid)
        self.qmp = Qmp(self.channel)

    def end(self):
        """End it whatever its state."""
        proc.end(self.process)
        os.close(self.gone)
        self.channel.close()


def kernel_line(config):
    """The words for the guest's kernel."""
    return " ".join([KERNEL_ARGS, *clock.kernel_args(),
                     *(IOMMU_ARGS if config.iommu else ()),
                     config.append]).strip()


def _boot(config):
    """The firmware and the kernel.

    Waking up from S3 is a reset: qboot would boot anew, and QEMU would put a
    vmlinux into memory once more, over the kernel that slept.
    """
    kernel = paths.kernel(config.kernel)
    if config.s3:
        return ["-bios", "bios-256k.bin", "-kernel", kernel / "bzImage"]
    return ["-bios", "qboot.rom", "-kernel", kernel / "vmlinux"]


def words(config):
    """QEMU's words for all that the guest sees, but for the device."""
    argv = ["-machine", "q35", "-accel", "tcg,thread=multi",
            "-cpu", "max,-cx16,-la57", "-smp", config.cpus,
            "-m", config.memory_mb,
            "-L", paths.FIRMWARE, *_boot(config),
            "-append", kernel_line(config)]
    if config.iommu:
        # Before the devices that are to be behind it.
        argv += ["-device", "intel-iommu,intremap=on"]
    argv += ["-serial", "chardev:console",
             "-device", "virtio-serial-pci,id=vser,disable-legacy=on,"
             f"max_ports={len(PORTS) + 1}"]
    if config.tty:
        argv += ["-device", "virtconsole,bus=vser.0,nr=0,chardev=tty"]
    for number, name in enumerate(PORTS, 1):
        argv += ["-device", f"virtserialport,bus=vser.0,nr={number},"
                 f"chardev={name},name=dxg.{name}"]
    if config.device is not None:
        argv += ["-device", "pcie-root-port,id=rp0,chassis=1,slot=1"]
    return [*argv, *config.extra]


def device(config, bus="rp0"):
    """The device, behind the port BUS, as `-device` has it."""
    properties = f",{config.device}" if config.device else ""
    return f"dxgpu,id={DEVICE_ID},bus={bus}{properties}"


class Machine:
    """A running QEMU and our ends of its channels.

    emulators  the QEMUs there are; the first is the one whose guest runs
    plugged    whether the device is there
    watch      where the main loop hears of QEMUs: watch.begin(emulator) when
               one was started, watch.end(emulator) before it is ended
    """

    def __init__(self, config, initrd, log, watch, saved=()):
        """Start QEMU.

        initrd: path; log: open file for QEMU's own output; saved: words for
        a QEMU that makes, or goes on from, a saved machine (ready.py).
        """
        self.config = config
        self.plugged = config.device is not None
        self.watch = watch
        self.emulators = []
        self._bus = "rp0"
        self.channels = {}
        self._initrd = initrd
        self._log = log
        self._theirs = {}
        for name in ["console", *PORTS] + (["tty"] if config.tty else []):
            self.channels[name], self._theirs[name] = socket.socketpair()
            self.channels[name].setblocking(False)
        self.start(words=saved)

    def start(self, incoming=None, fds=(), words=()):
        """Start one more QEMU.

        incoming: URI from which it loads its guest, which runs then; fds:
        descriptors that it inherits for that; words: more of its own.
        """
        argv = [*self._argv(), *words]
        if incoming is not None:
            argv += ["-incoming", incoming]
        emulator = Emulator(
            argv, [*fds, *(end.fileno() for end in self._theirs.values())],
            self._log)
        self.emulators.append(emulator)
        self.watch.begin(emulator)
        return emulator

    def stop(self, emulator):
        """End one of several QEMUs."""
        self.watch.end(emulator)
        self.emulators.remove(emulator)
        emulator.end()

    @property
    def process(self):
        return self.emulators[0].process

    @property
    def qmp(self):
        return self.emulators[0].qmp

    def _argv(self):
        argv = [qemu.chosen().binary, "-nodefaults", "-no-user-config",
                "-display", "none", "-no-reboot", "-name", "dxg",
                "-initrd", self._initrd, *self.config.trace]
        for name, end in self._theirs.items():
            argv += ["-chardev", f"socket,id={name},fd={end.fileno()}"]
        argv += words(self.config)
        # Last: it may be behind a port of `extra`.
        if self.plugged:
            argv += ["-device", device(self.config, self._bus)]
        return argv

    def plug(self, bus="rp0"):
        """Add the device, as it was at the start, behind the port BUS."""
        self._bus = bus
        # QMP's own device_add wants each property with its type.
        said = self.qmp.request("human-monitor-command", **{
            "command-line": f"device_add {device(self.config, bus)}"})
        if said:
            raise QmpError(f"device_add: {said.strip()}")
        self.plugged = True

    def wake(self):
        """Wake the guest, from S3, or by a character on its serial line."""
        if self.qmp.request("query-status")["status"] == "suspended":
            self.qmp.request("system_wakeup")
        else:
            with contextlib.suppress(BlockingIOError):
                self.channels["console"].send(b"\n")

    def end_input(self):
        """The command's stdin ends after what was sent.

        QEMU takes a closed socket as gone at once, with what it had not read
        yet; a half-closed one it reads to its end.
        """
        self.channels["stdin"].shutdown(socket.SHUT_WR)

    def end(self):
        """End QEMU whatever its state, and close all channels."""
        while self.emulators:
            self.stop(self.emulators[-1])
        for end in (*self.channels.values(), *self._theirs.values()):
            end.close()
