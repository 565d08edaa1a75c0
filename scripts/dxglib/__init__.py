# SPDX-License-Identifier: GPL-2.0-or-later
"""dxglib: what scripts/dxg does, one concept per module.

Arrows run one way:

    cli -> commands (execcmd, run, test) -> guest -> machine, qmp, kmsg
        -> setup -> qemu, kernel, modules, host, initramfs
                 -> apt, overlay, cpio -> steps -> proc, ui, paths, errors

Only Python 3.11's standard library is used.
"""
