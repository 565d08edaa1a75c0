# SPDX-License-Identifier: GPL-2.0-or-later
"""The virtual machine: QEMU's command line and its channels.

Every channel is a socket pair whose one end QEMU inherits: no name in the
file system, and the end of QEMU is seen as end of file at once.

    console   the kernel's serial console, both ways (for SysRq)
    ctl       lines from /init: "ready", "error TEXT", "exit CODE"
    stdin, stdout, stderr   of the command
    out       a tar stream of /out
    host      the side channel, see hostport.py
    tty       with `tty`: a terminal (hvc0) instead of stdin and stdout
    qmp       QEMU's control
"""

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
PORTS = ("ctl", "stdin", "stdout", "stderr", "out", "host")
DEVICE_ID = "dxg0"
DEVICE_PATH = f"/machine/peripheral/{DEVICE_ID}"

CPUS = range(1, 17)
MEMORY_MB = range(128, 16385)


@dataclass(frozen=True)
class Config:
    """What is chosen for one machine.

    device   properties of dxgpu ("slots=4,threads=0"); None: no device
    extra    further words for QEMU's command line
    """

    device: str | None = ""
    cpus: int = 2
    memory_mb: int = 512
    kernel: str = kernels.DEFAULT
    append: str = ""
    tty: bool = False
    extra: tuple = ()


class Machine:
    """A running QEMU and our ends of its channels.

    qmp      its control
    plugged  whether the device is there
    """

    def __init__(self, config, initrd, log):
        """Start QEMU.  initrd: path; log: open file for QEMU's own output."""
        self.config = config
        self.plugged = config.device is not None
        names = ["console", "qmp", *PORTS] + (["tty"] if config.tty else [])
        self.channels = {}
        theirs = {}
        for name in names:
            self.channels[name], theirs[name] = socket.socketpair()
            self.channels[name].setblocking(False)
        try:
            argv = self._argv(initrd, {name: end.fileno()
                                       for name, end in theirs.items()})
            self.process = proc.spawn(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=[end.fileno() for end in theirs.values()])
        finally:
            for end in theirs.values():
                end.close()
        self.qmp = Qmp(self.channels["qmp"])

    def _argv(self, initrd, fds):
        config = self.config
        argv = [qemu.chosen().binary, "-nodefaults", "-no-user-config",
                "-display", "none", "-no-reboot", "-name", "dxg",
                "-machine", "q35", "-accel", "tcg,thread=multi",
                "-cpu", "max,-cx16,-la57", "-smp", config.cpus,
                "-m", config.memory_mb,
                "-L", paths.FIRMWARE, "-bios", "qboot.rom",
                "-kernel", paths.kernel(config.kernel) / "vmlinux",
                "-initrd", initrd,
                "-append", " ".join([KERNEL_ARGS, *clock.kernel_args(),
                                     config.append]).strip()]
        for name, fd in fds.items():
            argv += ["-chardev", f"socket,id={name},fd={fd}"]
        argv += ["-serial", "chardev:console",
                 "-mon", "chardev=qmp,mode=control",
                 "-device", "virtio-serial-pci,id=vser,disable-legacy=on,"
                 f"max_ports={len(PORTS) + 1}"]
        if config.tty:
            argv += ["-device", "virtconsole,bus=vser.0,nr=0,chardev=tty"]
        for number, name in enumerate(PORTS, 1):
            argv += ["-device", f"virtserialport,bus=vser.0,nr={number},"
                     f"chardev={name},name=dxg.{name}"]
        if config.device is not None:
            argv += ["-device", "pcie-root-port,id=rp0,chassis=1,slot=1",
                     "-device", self._device()]
        return argv + list(config.extra)

    def _device(self, bus="rp0"):
        properties = f",{self.config.device}" if self.config.device else ""
        return f"dxgpu,id={DEVICE_ID},bus={bus}{properties}"

    def plug(self, bus="rp0"):
        """Add the device, as it was at the start, behind the port BUS."""
        # QMP's own device_add wants each property with its type.
        said = self.qmp.request("human-monitor-command", **{
            "command-line": f"device_add {self._device(bus)}"})
        if said:
            raise QmpError(f"device_add: {said.strip()}")
        self.plugged = True

    def end_input(self):
        """The command's stdin ends after what was sent.

        QEMU takes a closed socket as gone at once, with what it had not read
        yet; a half-closed one it reads to its end.
        """
        self.channels["stdin"].shutdown(socket.SHUT_WR)

    def close(self, name):
        """Close our end of a channel."""
        channel = self.channels.pop(name, None)
        if channel is not None:
            channel.close()

    def end(self):
        """End QEMU whatever its state, and close all channels."""
        proc.end(self.process)
        for name in list(self.channels):
            self.close(name)
