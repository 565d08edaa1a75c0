# SPDX-License-Identifier: GPL-2.0-or-later
"""The set-up: which steps there are, in order, and running them."""

import functools
import os

from dxglib import (clock, host, initramfs, kernel, modules, paths, qemu,
                    steps, tools, ui)
from dxglib.errors import UsageError
from dxglib.steps import Step


def all_steps(version=kernel.DEFAULT):
    """Every step for the guest kernel VERSION, in the order of need."""
    partial = functools.partial
    found = [
        Step("packages", "host packages from apt", tools.package_inputs, [],
             tools.install_packages),
        Step("tools", "meson, firmware and BusyBox, unpacked",
             tools.unpack_inputs,
             [paths.MESON, paths.FIRMWARE / "qboot.rom", paths.BUSYBOX],
             tools.unpack_tools),
        Step("clock", "the time-stamp counter's frequency", clock.inputs,
             [clock.RESULT], clock.measure),
        Step("qemu-source", "QEMU's source", qemu.source_inputs,
             [paths.QEMU_SRC / "configure"], qemu.get_source),
        *qemu_steps(qemu.PLAIN, "QEMU"),
        Step(f"kernel-{version}", kernel.what(version),
             partial(kernel.inputs, version), kernel.outputs(version),
             partial(kernel.prepare, version=version)),
    ]
    if modules.wanted():
        found.append(Step(
            f"modules-{version}", "build the kernel modules",
            partial(modules.inputs, version), modules.outputs(version),
            partial(modules.build, version=version)))
    found += [
        Step("host-configure", "configure library, tools and tests",
             host.setup_inputs, [paths.HOST / "build.ninja"], host.setup),
        Step("host-build", "build library, tools and tests",
             host.build_inputs, [paths.GUEST_ROOT], host.build),
        Step(f"initramfs-{version}", "pack the guest's image",
             partial(initramfs.inputs, version), [paths.initramfs(version)],
             partial(initramfs.pack, version=version)),
    ]
    return found


def test_module_step(version):
    """What only tests with `exec --test-modules` need."""
    return Step(f"test-modules-{version}", "build the modules for tests",
                functools.partial(modules.inputs, version),
                modules.outputs(version, "test"),
                functools.partial(modules.build, version=version,
                                  tree="test"))


def qemu_steps(build, what):
    """Configuring and building one of QEMU's builds."""
    partial = functools.partial
    return [
        Step(f"{build.name}-configure", f"configure {what}",
             partial(qemu.configure_inputs, build),
             [build.folder / "build.ninja"],
             partial(qemu.configure, build=build)),
        Step(f"{build.name}-build", f"build {what} with the device",
             partial(qemu.build_inputs, build),
             [build.binary, build.info_file], partial(qemu.make, build=build)),
    ]


def sanitize_steps():
    """What only `dxg test --sanitize` needs."""
    return [Step("sanitize-tools", "llvm-symbolizer", tools.sanitize_inputs,
                 [], tools.install_sanitize_packages),
            *qemu_steps(qemu.SANITIZED, "QEMU with sanitizers")]


def coverage_steps():
    """What only `dxg test --coverage` needs."""
    from dxglib import coverage

    return coverage.steps()


def lint_steps():
    """What only `dxg lint` needs."""
    return [Step("lint-tools", "sparse and checkpatch", tools.lint_inputs,
                 [tools.CHECKPATCH], tools.get_lint_tools)]


def ensure(version=kernel.DEFAULT, only=None, test_modules=False):
    """Bring the set-up up to date; nothing but checks when it is.

    only: run just the step of that name (it must exist).  test_modules: the
    modules' test build as well.  DXG_NO_SETUP=1 skips all of it: for tests
    that run below a dxg which has done it.
    """
    if os.environ.get("DXG_NO_SETUP") == "1":
        return
    wanted = all_steps(version)
    if test_modules:
        wanted.append(test_module_step(version))
    if only is not None:
        wanted += [test_module_step(version), *lint_steps(),
                   *sanitize_steps(), *coverage_steps()]
        names = [step.name for step in wanted]
        wanted = [step for step in wanted
                  if only in (step.name, step.name.removesuffix(
                      f"-{version}"))]
        if not wanted:
            raise UsageError(f"--only {only}: no such step; there are: "
                             + ", ".join(names))
    if all(step.fresh() for step in wanted):
        return
    with steps.lock():
        ran = [step.name for step in wanted if step.update()]
    if ran:
        ui.say(f"set-up done ({len(ran)} of {len(wanted)} steps)")
