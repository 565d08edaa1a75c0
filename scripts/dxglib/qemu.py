# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU: Debian's source of trixie's 10.0.x, our overlay, and its builds.

There are two, of one source: the plain one, and, made when it is asked for, one
with sanitizers (see sanitize.py).  The environment's DXG_QEMU, the name of a
build, chooses the one that guests and qtests run on.

The newest 10.0.x that the mirror offers is taken (an archive drops old point
releases, so nothing is pinned) and named in the progress line.  QEMU_SRC=DIR
names an unpacked source instead; it is copied, never edited.
"""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dxglib import apt, overlay, paths, proc, qemu_fixes
from dxglib.errors import SetupError

_COMMON = (
    "--target-list=x86_64-softmmu", "--without-default-features",
    "--enable-system", "--enable-tcg", "--enable-kvm",
    "--disable-install-blobs", "--disable-download",
    "--python=/usr/bin/python3", "--enable-trace-backends=log",
)
SERIES = "10.0."
JOBS = str(os.cpu_count() or 1)


@dataclass(frozen=True)
class Build:
    """One build of QEMU.

    name     of its folder below build/ and, with a suffix, of its steps
    options  of configure
    extra    ninja targets beside the emulator and our qtest programs
    """

    name: str
    options: tuple
    extra: tuple = ()

    @property
    def folder(self):
        return paths.BUILD / self.name

    @property
    def binary(self):
        return self.folder / "qemu-system-x86_64"

    @property
    def info_file(self):
        return self.folder / "dxg-info.json"


PLAIN = Build("qemu", _COMMON)
# clang, as gcc has no libFuzzer; fuzzing adds no more than counters in devices,
# which saves a third build.  Line numbers are all that a report needs of debug
# information.
SANITIZED = Build("qemu-sanitize", (
    *_COMMON, "--cc=clang", "--enable-asan", "--enable-ubsan",
    "--enable-fuzzing", "--disable-debug-info",
    "--extra-cflags=-gline-tables-only"), ("qemu-fuzz-x86_64",))


def chosen():
    """The build that DXG_QEMU names."""
    name = os.environ.get("DXG_QEMU", PLAIN.name)
    for build in (PLAIN, SANITIZED):
        if build.name == name:
            return build
    raise SetupError(f"DXG_QEMU={name}: must be {PLAIN.name} or "
                     f"{SANITIZED.name}")


def tools_env():
    """Environment in which QEMU's build finds meson and pycotap."""
    return dict(os.environ, PYTHONPATH=str(paths.TOOLS_PYTHON),
                PATH=f"{paths.MESON.parent}:{os.environ['PATH']}")


def _source_key():
    """QEMU_SRC, or, when it is not set, whatever source there is."""
    named = os.environ.get("QEMU_SRC")
    kept = paths.BUILD / "qemu-src.from"
    if named is None and kept.exists():
        return kept.read_text()
    return named or "archive"


def source_inputs():
    return ("1", _source_key(), repr(qemu_fixes.FIXES))


def get_source(context):
    """Unpack the source to build/qemu-src and mend it.

    The note names the version, and each fix.
    """
    named = os.environ.get("QEMU_SRC")
    if named:
        note = _copy_source(context, Path(named))
    else:
        note = _download_source(context)
    made = qemu_fixes.apply(paths.QEMU_SRC)
    (paths.BUILD / "qemu-src.from").write_text(named or "archive")
    return "".join([note, *(
        f", {fix.name} {'mended' if fix.name in made else 'not there to mend'}"
        for fix in qemu_fixes.FIXES)])


def _copy_source(context, tree):
    version = tree / "VERSION"
    if not (tree / "configure").is_file() or not version.is_file():
        raise SetupError(f"QEMU_SRC={tree} is no QEMU source: it has no "
                         "configure and VERSION")
    shutil.rmtree(paths.QEMU_SRC, ignore_errors=True)
    context.command(["cp", "-a", tree, paths.QEMU_SRC], "copying QEMU_SRC")
    return f"copy of {tree}, version {version.read_text().strip()}"


def newest_source(text, series=SERIES):
    """Newest version of SERIES in the text of `apt-cache showsrc`."""
    versions = re.findall(r"^Version: (\S+)$", text, re.M)
    fitting = [version for version in versions
               if version.split(":", 1)[-1].startswith(series)]

    def key(version):
        return [int(number) for number in re.findall(r"\d+", version)]

    return max(fitting, key=key) if fitting else None


def _download_source(context):
    private = apt.Private(context)
    try:
        text = proc.output(["apt-cache", "showsrc", "--only-source", "qemu"],
                           env=private.env)
    except subprocess.CalledProcessError:
        text = ""
    version = newest_source(text)
    if version is None:
        raise SetupError(f"the mirror's trixie has no QEMU {SERIES}x source",
                         "QEMU_SRC=DIR names an unpacked source instead")
    paths.DL.mkdir(parents=True, exist_ok=True)
    context.command(
        ["apt-get", "source", "--download-only", f"qemu={version}"],
        f"downloading QEMU {version}",
        ["likely cause: no network; QEMU_SRC=DIR names a local source"],
        cwd=paths.DL, env=private.env)
    described = paths.DL / f"qemu_{version.split(':', 1)[-1]}.dsc"
    shutil.rmtree(paths.QEMU_SRC, ignore_errors=True)
    # apt-get has checked the files against the signed index already;
    # --no-copy leaves the tarball in build/dl.
    context.command(
        ["dpkg-source", "--no-check", "--no-copy", "-x", described,
         paths.QEMU_SRC], "unpacking QEMU")
    return f"Debian's {version}"


def configure_inputs(build=PLAIN):
    return (paths.STAMP / "qemu-source", *build.options)


def configure(context, build=PLAIN):
    """Configure QEMU in the build's folder from nothing."""
    shutil.rmtree(build.folder, ignore_errors=True)
    build.folder.mkdir(parents=True)
    overlay.apply(paths.QEMU_SRC, paths.REPO)
    context.command([paths.QEMU_SRC / "configure", *build.options],
                    "QEMU's configure", cwd=build.folder, env=tools_env())
    # Lets a bare `ninja` in build/qemu work: meson is found without
    # PYTHONPATH from QEMU's own virtual environment.
    for site in (build.folder / "pyvenv/lib").glob("python3*/site-packages"):
        (site / "dxg-tools.pth").write_text(f"{paths.TOOLS_PYTHON}\n")
    return ""


def build_inputs(build=PLAIN):
    return ("2", paths.STAMP / f"{build.name}-configure", paths.HW,
            paths.TESTS / "qtest")


def make(context, build=PLAIN):
    """Build the emulator and our qtest programs."""
    overlay.apply(paths.QEMU_SRC, paths.REPO)
    env = tools_env()
    # build.ninja brings itself up to date first, then the list is right.
    context.command(["ninja", "build.ninja"], "QEMU's meson",
                    cwd=build.folder, env=env)
    targets = proc.output(["ninja", "-t", "targets", "all"], cwd=build.folder)
    qtests = re.findall(r"^(tests/qtest/(?:dxgpu/)?dxgpu-[\w-]+-test): ",
                        targets, re.M)
    context.command(["ninja", "-j", JOBS, build.binary.name, *qtests,
                     *build.extra],
                    "building QEMU", cwd=build.folder, env=env)
    _link_firmware(build)
    listed = proc.output([build.binary, "-device", "help"])
    info = {"version": (paths.QEMU_SRC / "VERSION").read_text().strip(),
            "dxgpu": 'name "dxgpu"' in listed, "qtests": sorted(qtests)}
    build.info_file.write_text(json.dumps(info, indent=1) + "\n")
    return "" if info["dxgpu"] else "without the dxgpu device"


def _link_firmware(build):
    """Let a QEMU started from its build folder find its ROMs without -L."""
    data = build.folder / "qemu-bundle/usr/local/share/qemu"
    data.mkdir(parents=True, exist_ok=True)
    for rom in paths.FIRMWARE.iterdir():
        overlay.link(data / rom.name, rom)


def info():
    """What make() recorded: version, whether dxgpu is there, qtests."""
    return json.loads(chosen().info_file.read_text())
