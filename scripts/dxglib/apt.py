# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian packages: installed ones, and downloads through a private apt root.

Two ways, kept apart:

* install(): packages of the host's own sources, with apt-get, as root, only
  those that are missing.
* Private: an apt root below build/apt with its own sources, lists and cache.
  It holds what the host's sources lack (backports, trixie's sources) and what
  is unpacked but never installed (kernel, firmware).  The host's sources are
  read to learn the mirror and are never edited.  Signatures are checked with
  debian-archive-keyring.

Rejected: adding a sources.list.d entry on the host (changes the user's
machine), a fixed mirror name (wrong for everyone behind another one).
"""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from dxglib import paths, proc
from dxglib.errors import SetupError

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
HOST_ETC = Path("/etc/apt")
# Too old, or absent, in the release itself.
BACKPORTED = ("meson", "python3-pycotap")
LISTS_MAX_AGE_S = 24 * 3600

# Where the archive is, relative to the suite's code name.
_SUITE_TAILS = ("", "-updates", "-security", "-proposed-updates",
                "-backports", "/updates")


@dataclass(frozen=True)
class Source:
    """One binary source of the host: where and which suite."""

    uri: str
    suite: str
    components: tuple


def parse_one_line(text):
    """Sources of a file in one-line format ("deb [options] URI SUITE ...")."""
    found = []
    for line in text.splitlines():
        line = line.split("#", 1)[0].strip()
        if not line.startswith("deb ") and not line.startswith("deb\t"):
            continue
        rest = line[3:].strip()
        if rest.startswith("["):
            if "]" not in rest:
                continue
            rest = rest.split("]", 1)[1].strip()
        words = rest.split()
        if len(words) >= 2:
            found.append(Source(words[0], words[1], tuple(words[2:])))
    return found


def parse_deb822(text):
    """Sources of a file in deb822 format (stanzas of "Field: values")."""
    found = []
    lines = [line for line in text.splitlines()
             if not line.startswith("#")]
    for stanza in "\n".join(lines).split("\n\n"):
        fields, last = {}, None
        for line in stanza.splitlines():
            if line[:1] in (" ", "\t") and last:
                fields[last] += " " + line.strip()
            elif ":" in line:
                last, value = line.split(":", 1)
                last = last.strip().lower()
                fields[last] = value.strip()
        if fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        if "deb" not in fields.get("types", "").split():
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                found.append(Source(
                    uri, suite, tuple(fields.get("components", "").split())))
    return found


def debian_sources(sources, codename):
    """Those of SOURCES that are Debian's archive for CODENAME.

    Told by the suite's name (the code name or one of its pockets) and the
    component main: no host name is known here.
    """
    suites = {codename + tail for tail in _SUITE_TAILS}
    return [source for source in sources
            if source.suite in suites and "main" in source.components]


def host_sources(etc=HOST_ETC):
    """All binary sources configured below ETC."""
    found = []
    files = [etc / "sources.list"]
    parts = etc / "sources.list.d"
    if parts.is_dir():
        files += sorted(parts.iterdir())
    for path in files:
        try:
            text = path.read_text(errors="replace")
        except OSError:
            continue
        if path.suffix == ".sources":
            found += parse_deb822(text)
        elif path.suffix == ".list":
            found += parse_one_line(text)
    return found


def codename(os_release=Path("/etc/os-release")):
    """The host's Debian code name; a SetupError on another system."""
    fields = {}
    try:
        text = os_release.read_text()
    except OSError:
        text = ""
    for line in text.splitlines():
        if "=" in line:
            key, value = line.split("=", 1)
            fields[key] = value.strip('"')
    if fields.get("ID") != "debian" or not fields.get("VERSION_CODENAME"):
        raise SetupError(
            f"this is {fields.get('PRETTY_NAME', 'an unknown system')}; "
            "set-up knows Debian 12 (bookworm) only",
            "QEMU_SRC= and KERNEL_DEBS= (see docs) name local copies, but the "
            "build tools still come from Debian's archive")
    return fields["VERSION_CODENAME"]


def missing(packages):
    """Those of PACKAGES that are not installed."""
    have = subprocess.run(
        ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\\n",
         *packages], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, check=False).stdout
    installed = {line.split()[1] for line in have.splitlines()
                 if line.startswith("installed ")}
    return [name for name in packages if name not in installed]


def install(context, packages):
    """Install what is missing of PACKAGES from the host's own sources."""
    todo = missing(packages)
    if not todo:
        context.note("nothing to install")
        return "nothing missing"
    command = ["apt-get", "install", "-y", "--no-install-recommends", *todo]
    by_hand = "apt-get update && " + " ".join(command)
    if os.geteuid() != 0:
        raise SetupError(
            f"{len(todo)} packages are missing and this user cannot install "
            "them; as root, run:", by_hand)
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    hint = ["likely cause: no network, or no usable mirror in /etc/apt; "
            "by hand:", by_hand]
    # A fresh machine has no package lists, an old one has stale ones: try
    # without an update first only when lists are there.
    if any(Path("/var/lib/apt/lists").glob("*_Packages*")):
        try:
            context.command(command, "installing " + " ".join(todo), env=env)
            return f"{len(todo)} packages"
        except SetupError:
            context.note("retrying with fresh package lists")
    context.command(["apt-get", "update"], "apt-get update", hint, env=env)
    context.command(command, "installing " + " ".join(todo), hint, env=env)
    return f"{len(todo)} packages"


class Private:
    """The private apt root; made and brought up to date on first use."""

    def __init__(self, context):
        self.context = context
        self.env = dict(os.environ, APT_CONFIG=str(paths.APT / "apt.conf"),
                        LC_ALL="C")
        self._prepare()

    def _prepare(self):
        host = debian_sources(host_sources(), codename())
        main = [source for source in host if source.suite == codename()]
        if not main:
            raise SetupError(
                f"no source for Debian {codename()} main is configured in "
                "/etc/apt, so no mirror is known",
                f"add one, e.g. a line: deb MIRROR {codename()} main")
        if not KEYRING.exists():
            raise SetupError(f"{KEYRING} is missing; as root, run:",
                             "apt-get install debian-archive-keyring")
        mirror = main[0].uri
        options = f"[signed-by={KEYRING}]"
        lines = [f"deb {options} {source.uri} {source.suite} main"
                 for source in host
                 if not source.suite.endswith("-backports")]
        lines += [f"deb {options} {mirror} {codename()}-backports main",
                  f"deb-src {options} {mirror} trixie main"]
        sources = "\n".join(dict.fromkeys(lines)) + "\n"
        conf = "".join(f'{key} "{value}";\n' for key, value in {
            "Dir::Etc::sourcelist": paths.APT / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "Dir::Etc::preferences": paths.APT / "preferences",
            "Dir::Etc::preferencesparts": "-",
            "Dir::State": paths.APT / "state",
            "Dir::State::status": "/var/lib/dpkg/status",
            "Dir::Cache": paths.APT / "cache",
            "Acquire::Languages": "none",
            "APT::Sandbox::User": "root",
            "APT::Update::Post-Invoke-Success": "",
        }.items())
        for folder in ("state/lists/partial", "cache/archives/partial"):
            (paths.APT / folder).mkdir(parents=True, exist_ok=True)
        listed = paths.APT / "sources.list"
        done = paths.APT / "updated"
        if not listed.exists() or listed.read_text() != sources:
            done.unlink(missing_ok=True)
        (paths.APT / "apt.conf").write_text(conf)
        (paths.APT / "preferences").write_text(
            f"Package: {' '.join(BACKPORTED)}\n"
            f"Pin: release n={codename()}-backports\nPin-Priority: 900\n")
        listed.write_text(sources)
        if (not done.exists()
                or time.time() - done.stat().st_mtime > LISTS_MAX_AGE_S):
            self.context.command(
                ["apt-get", "update", "--error-on=any"],
                "reading the package lists of the mirror",
                [f"likely cause: no network, or the mirror {mirror} is not "
                 "reachable",
                 "QEMU_SRC= and KERNEL_DEBS= name local copies of QEMU's "
                 "source and of the kernel's packages"],
                env=self.env)
            done.touch()

    def candidate(self, package):
        """Version the archive offers for PACKAGE; None when it has none."""
        text = proc.output(["apt-cache", "policy", package], env=self.env)
        for line in text.splitlines():
            if line.strip().startswith("Candidate:"):
                version = line.split(":", 1)[1].strip()
                return None if version == "(none)" else version
        return None

    def depends(self, package, series):
        """Names of PACKAGE's direct dependencies, the first of alternatives.

        series: of the versions offered, the newest that begins so is meant.
        """
        text = proc.output(["apt-cache", "show", package], env=self.env)
        for stanza in text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in stanza.splitlines()
                          if ": " in line and not line.startswith(" "))
            if fields.get("Version", "").startswith(series):
                return [item.split()[0]
                        for item in fields.get("Depends", "").split(",")
                        if item.strip()]
        raise SetupError(f"the configured mirror offers no package {package} "
                         f"{series}*",
                         f"looked at: {paths.APT / 'sources.list'}")

    def download(self, packages):
        """Download PACKAGES' .deb files to build/dl; returns their paths."""
        paths.DL.mkdir(parents=True, exist_ok=True)
        found = []
        for package in packages:
            version = self.candidate(package)
            if version is None:
                raise SetupError(
                    f"the configured mirror offers no package {package}",
                    f"looked at: {paths.APT / 'sources.list'}")
            name = f"{package}_{version.replace(':', '%3a')}_*.deb"
            have = list(paths.DL.glob(name))
            if not have:
                self.context.command(
                    ["apt-get", "download", f"{package}={version}"],
                    f"downloading {package} {version}",
                    ["likely cause: no network, or the mirror dropped the "
                     "file since the lists were read (remove build/apt/"
                     "updated and try again)"],
                    cwd=paths.DL, env=self.env)
                have = list(paths.DL.glob(name))
            if not have:
                raise SetupError(f"apt-get downloaded no {name}")
            found.append(have[0])
        return found
