# SPDX-License-Identifier: GPL-2.0-or-later
"""The overlay: three links and four lines that put dxgpu into QEMU's tree.

    hw/dxgpu             -> our hw/dxgpu
    include/dxgpu        -> our hw/include/dxgpu
    tests/qtest/dxgpu    -> our tests/qtest

    hw/Kconfig               source dxgpu/Kconfig
    hw/meson.build           subdir('dxgpu')
    meson.build              'hw/dxgpu' among the trace-event folders
    tests/qtest/meson.build  subdir('dxgpu'), where the executables are made

Each line is put after an anchor that must stand exactly once in the file: a
QEMU that moved it is refused with the file and the anchor named, instead of
being built without the device.  Applying twice changes nothing, and a file is
written only when it changes, so that ninja sees no news.  Rejected: a .patch
file, whose context breaks on every release for no reason of ours.
"""

from dataclasses import dataclass
from pathlib import Path

from dxglib.errors import SetupError


@dataclass(frozen=True)
class Line:
    """A line to add to a file of QEMU, after its anchor line."""

    path: str
    anchor: str
    text: str


DEVICE_LINES = (
    Line("hw/Kconfig", "source dma/Kconfig", "source dxgpu/Kconfig"),
    Line("hw/meson.build", "subdir('dma')", "subdir('dxgpu')"),
    Line("meson.build", "    'hw/dma',", "    'hw/dxgpu',"),
)
QTEST_LINES = (
    Line("tests/qtest/meson.build", "qtest_executables = {}",
         "subdir('dxgpu')"),
)


def add_line(text, line):
    """TEXT with LINE added; a SetupError when the anchor is not unique."""
    lines = text.split("\n")
    if line.text in lines:
        return text
    count = lines.count(line.anchor)
    if count != 1:
        raise SetupError(
            f"QEMU's {line.path}: the line \"{line.anchor}\" stands {count} "
            "times, expected once: the overlay does not know this QEMU",
            "the anchors are in scripts/dxglib/overlay.py; QEMU 10.0 is known "
            "to fit")
    at = lines.index(line.anchor) + 1
    return "\n".join(lines[:at] + [line.text] + lines[at:])


def remove_line(text, line):
    """TEXT without LINE."""
    return "\n".join(row for row in text.split("\n") if row != line.text)


def link(path, target):
    """Make PATH a symbolic link to TARGET, or remove it for None.

    Only a link is ever replaced: a real folder of that name is QEMU's.
    """
    if path.is_symlink():
        if target is not None and path.readlink() == target:
            return
        path.unlink()
    elif path.exists():
        raise SetupError(f"{path} exists in QEMU's source and is no link: "
                         "the overlay will not replace it")
    if target is not None:
        path.symlink_to(target)


def apply(qemu, repo):
    """Bring the overlay in the source tree QEMU in line with REPO.

    A part takes effect when our side has its meson.build.
    """
    device = repo / "hw/dxgpu"
    qtest = repo / "tests/qtest"
    parts = (
        ((device / "meson.build").exists(), DEVICE_LINES,
         ((qemu / "hw/dxgpu", device),
          (qemu / "include/dxgpu", repo / "hw/include/dxgpu"))),
        ((qtest / "meson.build").exists(), QTEST_LINES,
         ((qemu / "tests/qtest/dxgpu", qtest),)),
    )
    for wanted, lines, links in parts:
        for path, target in links:
            link(path, target if wanted else None)
        for line in lines:
            _edit(qemu, line, add_line if wanted else remove_line)


def _edit(qemu, line, change):
    path = Path(qemu) / line.path
    try:
        text = path.read_text()
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}: this is no QEMU source "
                         "tree") from None
    changed = change(text, line)
    if changed != text:
        path.write_text(changed)
