# SPDX-License-Identifier: GPL-2.0-or-later
"""`dxg lint`: what a reader would object to before running anything.

One check is one function giving the findings as lines; none is a pass.

    modules     both kernels: W=1 with warnings as errors, and sparse
    checkpatch  the kernel's, --strict, for guest-driver, guest-lib and the
                hardware contract; QEMU's for the device
    seams       who may include whom (design.md, section 3), licence lines
    syntax      every Python file and shell script of ours

The modules are built in build/lint, beside those that guests run.
"""

import os
import re
import subprocess

from dxglib import errors, kernel, modules, paths, proc, setup, tools
from dxglib.errors import SetupError

LINT_TEXT = """\
Check the sources: compiler warnings and sparse on both kernels, checkpatch,
includes that the architecture forbids, licence lines, syntax of scripts.
"""
LINT = paths.BUILD / "lint"

# What the kernel's checkpatch may say, and why it does not count.
DDI = {
    "CAMELCASE": "Windows' names are the interface",
    "NEW_TYPEDEFS": "Windows' types are the interface",
    "BIT_MACRO": "headers shared with user space have no BIT()",
}
IGNORED = {
    "guest-driver": DDI | {
        "LINUX_VERSION_CODE": "one source for two kernels, in compat.h",
        "CONSTANT_COMPARISON": "taken for a constant: LINUX_VERSION_CODE",
    },
    "guest-lib": {
        "CAMELCASE": DDI["CAMELCASE"],
        "PREFER_KERNEL_TYPES": "user space has stdint.h",
        "PREFER_DEFINED_ATTRIBUTE_MACRO": "user space has no compiler.h",
        "ARRAY_SIZE": "user space has no ARRAY_SIZE()",
        "VOLATILE": "user space has no readl(): registers in dxg-info",
        "ENOSYS": "the table of errno values has all of them",
        "MACRO_ARG_REUSE": "the arguments are names, asserted at compile time",
        "LONG_LINE_STRING": "a message stays in one piece, to be found",
        "SPLIT_STRING": "a table is printed a line per string",
    },
    "hw/include": {
        "BIT_MACRO": DDI["BIT_MACRO"],
        "PREFER_KERNEL_TYPES": "QEMU and the library include it too",
        "CAMELCASE": "_Static_assert is C's",
        "LONG_LINE_COMMENT": "what a register's bits are stays behind them",
    },
}
# A message stays in one piece, to be found; PRIu64 hides that it is one.
MESSAGE = re.compile(r'"')
# What QEMU's checkpatch may say; it has no names to ignore.
QEMU_IGNORED = {
    "use aio_bh_new_guarded()":
        "the worker's DMA reaches memory only: no device is entered again",
}
# Layout of TRACE_EVENT(), which is the kernel's own.
TRACE = ("OPEN_ENDED_LINE", "PARENTHESIS_ALIGNMENT")

# (folder, files, text that must not be there, the rule)
SEAMS = (
    ("hw/dxgpu/core", "*.[ch]",
     r'#\s*include\s*["<](?!dxgpu/|std\w+\.h|string\.h|pthread\.h)',
     "core includes libc, the hardware contract and itself, no QEMU"),
    ("hw/include", "*.h",
     r"#\s*include\s*[\"<](?!std(?:int|def|bool)\.h|linux/(?:types|stddef)\.h)",
     "the hardware contract includes fixed-width types only"),
    ("guest-driver/dxgpu", "*.[ch]",
     r"#\s*include\s*[\"<](?:.*dxgkrnl|uapi/(?!dxgpu_umd)|.*\.\./)",
     "the miniport includes no header of dxgkrnl or of its user interface"),
    ("guest-driver/dxgnull", "*.[ch]",
     r"#\s*include\s*[\"<](?:.*dxgkrnl|uapi/(?!dxgpu_umd)|.*\.\./"
     r"|dxgpu/(?!packet|ring|status))",
     "the null miniport includes the DDI and what a process writes, no "
     "register"),
    ("guest-driver/dxgkrnl", "*.[ch]",
     r"\b(?:read|write)[bwlq](?:_relaxed)?\s*\(|\bio(?:read|write)\d+"
     r"|\bioremap|\bpci_iomap|#\s*include\s*[\"<](?:dxgpu/|.*\.\./)",
     "dxgkrnl touches no register and includes no hardware header"),
)
# file, line, and the kernel's name of what is wrong
_COMPLAINT = re.compile(r"(\S+):(\d+): (?:ERROR|WARNING|CHECK):(\w*)")
LICENCES = (".c", ".h", ".py", ".sh", ".S")


def add_parser(commands):
    command = commands.add_parser("lint", help="check the sources",
                                  usage="dxg lint [--tap]",
                                  description=LINT_TEXT)
    command.add_argument("--tap", action="store_true",
                         help="print TAP")
    command.set_defaults(handler=_lint)


def ensure():
    """The set-up that lint needs: both kernels' headers, tools, sources."""
    for version in kernel.VERSIONS:
        setup.ensure(version, f"kernel-{version}")
    setup.ensure(only="qemu-source")
    setup.ensure(only="lint-tools")


def _lint(options):
    ensure()
    checks = [(f"modules, W=1 and sparse, Linux {version}",
               lambda version=version: module_findings(version))
              for version in kernel.VERSIONS]
    checks += [(f"checkpatch --strict, {folder}",
                lambda folder=folder: checkpatch(folder))
               for folder in IGNORED]
    checks += [("QEMU's checkpatch, hw/dxgpu", qemu_checkpatch),
               ("seams", seams), ("licences", licences), ("syntax", syntax)]
    if options.tap:
        print(f"1..{len(checks)}", flush=True)
    failed = 0
    for number, (title, check) in enumerate(checks, 1):
        findings = check()
        failed += bool(findings)
        if options.tap:
            for line in findings:
                print(f"# {line}")
            print(f"{'not ok' if findings else 'ok'} {number} - {title}",
                  flush=True)
        else:
            print(f"{'FAIL' if findings else 'ok  '} {title}", flush=True)
            for line in findings:
                print(f"     {line}")
    return errors.FAILED if failed else errors.PASS


def _sources(folder, pattern):
    return sorted(path for path in (paths.REPO / folder).rglob(pattern)
                  if path.is_file())


def _run(argv, **kwargs):
    done = subprocess.run([str(arg) for arg in argv], text=True,
                          errors="replace", stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, **kwargs)
    return done.returncode, done.stdout.replace(f"{paths.REPO}/", "")


def module_findings(version, trees=None):
    """Warnings of the compiler and of sparse; trees: other sources."""
    src = LINT / version / "src"
    modules.link_farm(src, trees or {"": paths.GUEST_DRIVER,
                                     "hw-include": paths.HW_INCLUDE})
    status, text = _run(
        ["make", "-k", *modules.arguments(version, src), "W=1", "C=2",
         "CHECK=sparse", "KCFLAGS=-Werror", "modules"],
        env=dict(os.environ, LC_ALL="C"))
    found = dict.fromkeys(line for line in text.splitlines()
                          if re.search(r"\b(?:warning|error):", line))
    if not found and "CHECK " not in text:
        found["sparse has checked nothing"] = None
    if status and not found:
        found.update(dict.fromkeys(text.splitlines()[-10:]))
    return list(found)


def checkpatch(folder):
    """What the kernel's checkpatch finds in FOLDER."""
    files = _sources(folder, "*.[ch]")
    # Without our type names it takes `NAME (*call)(...)` for a product.
    types = LINT / "types"
    LINT.mkdir(parents=True, exist_ok=True)
    names = set()
    for top in ("guest-driver/include", "guest-lib/include"):
        for path in _sources(top, "*.h"):
            names.update(re.findall(r"^(?:typedef .*\b|\} )([A-Z_][A-Z0-9_]+);",
                                    path.read_text(), re.M))
    # The longest first: it takes the first that is a beginning of the word.
    types.write_text("".join(f"{name}\n" for name in sorted(
        names, key=len, reverse=True)))
    found = _checked(
        [tools.CHECKPATCH, "--no-tree", "--strict", "--emacs", "--show-types",
         "--summary-file", f"--typedefsfile={types}",
         "--ignore=" + ",".join(IGNORED[folder]), "-f"], files, LINT)
    return [line for line in found if not _excused(line)]


def _excused(line):
    match = _COMPLAINT.match(line)
    if not match:
        return False
    name, number, kind = match.groups()
    if kind == "LONG_LINE":
        source = (paths.REPO / name).read_text().splitlines()[int(number) - 1]
        return MESSAGE.search(source)
    return name.endswith("/trace.h") and kind in TRACE


def qemu_checkpatch():
    """What QEMU's checkpatch finds in the device."""
    files = [path for path in _sources("hw/dxgpu", "*.[ch]")
             if not path.is_symlink()]
    found = _checked([paths.QEMU_SRC / "scripts/checkpatch.pl", "--no-tree",
                      "--emacs", "--summary-file", "-f"],
                     files, paths.QEMU_SRC)
    return [line for line in found
            if not any(said in line for said in QEMU_IGNORED)]


def _checked(argv, files, folder):
    """What a checkpatch finds in FILES, run in FOLDER.

    It sums each file up; a file without that has not been checked, which is
    a finding: Perl may be missing, or have died on the way.
    """
    if not files:
        return ["no sources to check"]
    try:
        status, text = _run([*argv, *files], cwd=folder)
    except OSError as error:
        return [f"cannot run {argv[0]}: {error.strerror}"]
    lines = text.splitlines()
    found = [line for line in lines if _COMPLAINT.match(line)]
    names = [str(path).removeprefix(f"{paths.REPO}/") for path in files]
    left = [name for name in names if not any(
        line.startswith(f"{name} total: ") for line in lines)]
    if left:
        found.append(f"{argv[0]} (exit status {status}) has not checked "
                     f"{len(left)} of {len(files)} files, first {left[0]}")
        found += lines[-5:]
    return found


def seams(top=paths.REPO):
    """Includes and calls that the architecture forbids."""
    found = []
    for folder, pattern, forbidden, rule in SEAMS:
        for path in sorted((top / folder).rglob(pattern)):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if re.search(forbidden, line) and not _beside(path, line):
                    found.append(f"{path.relative_to(top)}:{number}: "
                                 f"{line.strip()}: {rule}")
    return found


def _beside(path, line):
    """Whether the line LINE of PATH includes a header of the same folder."""
    match = re.search(r'#\s*include\s*"([^/"]+)"', line)
    return match and (path.parent / match[1]).is_file()


def _tracked():
    """The repository's files as git has them."""
    try:
        listed = proc.output(["git", "-C", paths.REPO, "ls-files", "-z"])
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(f"git ls-files: {error}") from None
    return [path for path in (paths.REPO / name
                              for name in listed.split("\0") if name)
            if path.is_file()]


def licences():
    """Sources whose first lines name no licence."""
    return [f"{path.relative_to(paths.REPO)}: no SPDX line"
            for path in _tracked()
            if (path.suffix in LICENCES
                or path.name in ("meson.build", "Kbuild", "Kconfig"))
            and "SPDX-License-Identifier:" not in "\n".join(
                path.read_text().splitlines()[:3])]


def syntax():
    """Scripts that their interpreter would not read."""
    found = []
    for path in _tracked():
        with open(path, "rb") as file:
            first = file.readline()
        if path.suffix == ".py" or (first.startswith(b"#!")
                                    and b"python3" in first):
            try:
                compile(path.read_bytes(), path, "exec", dont_inherit=True)
            except (SyntaxError, ValueError) as error:
                found.append(f"{path.relative_to(paths.REPO)}: {error}")
        elif first.startswith(b"#!") and re.search(rb"\b(?:ba)?sh\b", first):
            shell = "bash" if b"bash" in first else "sh"
            status, text = _run([shell, "-n", path])
            if status:
                found += text.splitlines()
    return found
