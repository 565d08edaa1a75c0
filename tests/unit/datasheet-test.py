#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The datasheet against the headers: offsets, codes and lengths, both ways.

datasheet-test.py HEADER-DIR DATASHEET DEVICE-DIR: TAP on stdout. Whatever the
headers name must stand in the datasheet with the same number, and the other way
round; and so must the device's properties, with their default.
"""

import pathlib
import re
import sys

SIZES = {"uint8_t": 1, "uint16_t": 2, "uint32_t": 4, "uint64_t": 8}

# Structures of which the datasheet has a table, and the text before it.
RECORDS = {
    "dxgpu_ring_entry": r"A ring is an array",
    "dxgpu_ring_control": r"Ring control is a block",
    "dxgpu_queue_status": r"Queue record, 128 bytes",
}


def strip(text):
    """TEXT without comments."""
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def registers(regs):
    """Name -> offset; of register groups, that of the first."""
    found = {}
    for name, value in re.findall(
            r"^#define DXGPU_REG_(\w+(?:\(n\))?)\s+(\S.*)$", regs, re.M):
        value = re.sub(r"\b[n]\b", "0", value)
        found[name.replace("(n)", "(0)")] = eval(value)
    return found


def enum(text, name, prefix):
    """Name without PREFIX -> value of the enumeration NAME."""
    body = re.search(r"enum %s \{(.*?)\}" % name, text, re.S).group(1)
    return {key: int(value, 0) for key, value in
            re.findall(r"%s(\w+)\s*=\s*(\w+)" % prefix, body)}


def fields(text, name):
    """Field -> (offset, bytes) of the structure NAME, reserved ones left out."""
    body = re.search(r"struct %s \{(.*?)\n\};" % name, text, re.S).group(1)
    found, at = {}, 0
    for kind, field, count in re.findall(r"(uint\d+_t) (\w+)(?:\[(\d+)\])?;",
                                         body):
        size = SIZES[kind]
        at = (at + size - 1) // size * size
        if not field.startswith("reserved"):
            found[field] = (at, size)
        at += size * int(count or 1)
    return found


def table(sheet, after):
    """The rows of the first table behind the text AFTER, as lists of cells."""
    rules, rows = 0, []
    lines = sheet[re.search(after, sheet).start():].split("\n")
    for line in lines:
        if re.fullmatch(r"=+(  +=+)+", line):
            rules += 1
            if rules == 3:
                break
        elif rules == 2 and line[:1].strip():
            rows.append(re.split(r"  +", line.strip()))
    return rows


def numbered(sheet, after):
    """Name -> number of a table whose columns are number and name."""
    return {row[1].split(" ")[0]: int(row[0], 0) for row in table(sheet, after)}


def properties(device, sheet):
    """Name -> default, where the source has it as a number, on both sides."""
    source = "".join((pathlib.Path(device) / name).read_text()
                     for name in ("dxgpu.c", "inject.c"))
    want = {name: default.isdecimal() and default for name, default in
            re.findall(r'DEFINE_PROP_\w+\("([\w-]+)",([^;]*?)\)', source)
            for default in [default.split(",")[-1].strip()]}
    want.update(dict.fromkeys(
        re.findall(r'object_class_property_add\w*\(oc, "(inject-[\w-]+)"',
                   source), False))
    have = {}
    for title in (r"Properties\n=", r"Faults on demand\n="):
        for name, default, *_ in table(sheet, title):
            have[name] = bool(want.get(name)) and default
    return want, have


def main(headers, datasheet, device):
    """Print TAP; return the exit status."""
    text = {path.stem: strip(path.read_text())
            for path in pathlib.Path(headers).glob("*.h")}
    sheet = pathlib.Path(datasheet).read_text()
    checks = []

    listed = {}
    for title in (r"Identity and limits", r"Device state and interrupts",
                  r"Command window\n-", r"Nodes\n-"):
        listed.update(numbered(sheet, title))
    checks.append(("registers", registers(text["regs"]), listed))
    checks.append(("commands", enum(text["regs"], "dxgpu_cmd", "DXGPU_CMD_"),
                   numbered(sheet, r"Fences grow")))
    # One space parts number and name where a column is full.
    results = re.findall(r"^(\d) +((?:OK|ERR_\w+)) ", sheet, re.M)
    checks.append(("results",
                   enum(text["regs"], "dxgpu_cmd_result", "DXGPU_CMD_"),
                   {name: int(number) for number, name in results}))
    checks.append(("packets", enum(text["packet"], "dxgpu_opcode", "DXGPU_OP_"),
                   numbered(sheet, r"Packets\n=")))
    faults = enum(text["status"], "dxgpu_fault_code", "DXGPU_FAULT_")
    del faults["NONE"]
    checks.append(("fault codes", faults, numbered(sheet, r"Faults\n=")))
    for name, after in RECORDS.items():
        source = text["ring" if "ring" in name else "status"]
        rows = {row[2]: (int(row[0]), int(row[1]))
                for row in table(sheet, after) if row[2] != "reserved"}
        checks.append((name, fields(source, name), rows))

    checks.append(("properties", *properties(device, sheet)))

    print(f"1..{len(checks)}")
    failed = 0
    for number, (name, want, have) in enumerate(checks, 1):
        good = want == have and want
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {name}")
        if not good:
            for key in sorted(want.keys() | have.keys()):
                if want.get(key) != have.get(key):
                    print(f"# {key}: headers {want.get(key)}, "
                          f"datasheet {have.get(key)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
