# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's kernel log: lines that fail a run, and what a panic says."""

import re

# Each is the kernel's own announcement of a defect.
_BAD = re.compile(
    r"WARNING: |\bBUG: |\bBUG \S+ \(|kernel BUG at|pagealloc: |"
    r"\bOops\b|\bOops:|"
    r"INFO: (task|possible|rcu|trying to register|suspicious)|"
    r"possible (circular|recursive) locking|bad unlock balance|"
    r"inconsistent lock state|suspicious RCU usage|"
    r"refcount_t: |\bUBSAN: |\bKASAN: |\bKFENCE: |"
    r"general protection fault|unable to handle|"
    r"self-detected stall|detected stalls on|"
    r"sysfs: cannot create duplicate|DMA-API: |"
    r"irq \d+: nobody cared|unchecked MSR|"
    r"Kernel panic - not syncing")
_PANIC = re.compile(r"Kernel panic - not syncing: ?(.*)")
_CAUSE = re.compile(r"(?:BUG: |Oops: |kernel BUG at|RIP: \d+:|"
                    r"Kernel panic - not syncing)(.*)")
_CONTEXT = 12


def clean(text):
    """TEXT of the serial console without carriage returns and escapes."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[c78]|\r", "", text)


def problems(text, context=_CONTEXT):
    """Lines of TEXT that announce a defect, each with what follows it.

    Returns [] for a clean log.  At most a few screens are given: the first
    announcements matter, what follows is often their consequence.
    """
    lines = clean(text).splitlines()
    found, until = [], -1
    for number, line in enumerate(lines):
        if _BAD.search(line):
            until = number + context
        if number <= until:
            found.append(line)
        if len(found) >= 80:
            break
    return found


def panic(text):
    """What the panic says; None when there was none."""
    match = _PANIC.search(clean(text))
    return match.group(1).strip() or "no reason given" if match else None


def panic_cause(text):
    """The first line that names the cause of a panic, for the user."""
    for line in clean(text).splitlines():
        if _CAUSE.search(line):
            return re.sub(r"^\[ *[0-9.]+\](\[ *[TC]\d+\])? ?", "",
                          line).strip()
    return None
