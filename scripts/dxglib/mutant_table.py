# SPDX-License-Identifier: GPL-2.0-or-later
"""The mutants: what each breaks, and which test has to notice.

A mutant is an edit of our sources that breaks one rule.  The sources know
nothing of it: the edits lie in tests/mutants/*.txt and are made in a copy of the
sources (mutant_build.py), so that no switch can ever be in what people run.
One entry:

    mutant bind-without-sample
    breaks a queue is bound and its WP is not looked at
    shows ORD-3 ORD-4 DDI-CN-9
    test unit:core-ring
    file hw/dxgpu/core/command.c
    @@ doorbell_bind
     dxgpu_queue_bind(core, q, args[0]);
    -dxgpu_queue_mark_pending(core, q->id);

"@@ NAME" is the function (or struct, or #define) in which the lines stand;
without NAME it is the whole file.  Then as in a diff: "-" goes, "+" comes, " "
stays, and is there to find the place.  Space at the ends of lines does not count.
The lines must stand there exactly once: an edit that does not fit any more is
an error, not a survivor.  Several "@@", and several "file", make one mutant.

"survives REASON" says that no test can notice, and why.  The rules that no mutant
breaks are listed in tests/mutants/none.txt, each with its reason.

Rejected: switches in the sources (if (MUTANT(x)), a module parameter): they
stand in the way of whoever reads just those lines that matter most, and a wrong
build flag makes holes of them.  Rejected: patch(1), which puts an edit in the
wrong place when the right one has changed.
"""

import re
from dataclasses import dataclass, field

from dxglib import paths, requirements
from dxglib.errors import DxgError, SETUP

FOLDER = paths.TESTS / "mutants"
NONE = FOLDER / "none.txt"
# Of these areas each rule needs a mutant.
AREAS = ("ORD", "SEC")
NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
SOURCES = ("hw/", "guest-driver/", "guest-lib/src/")


class TableError(DxgError):
    """The table is wrong, or does not fit the sources."""

    def __init__(self, message, detail=()):
        super().__init__(SETUP, message, detail)


@dataclass
class Hunk:
    """Lines of a function that change: [(mark, text)]."""

    function: str
    lines: list = field(default_factory=list)

    def apply(self, text):
        """TEXT with the change; a TableError when it does not fit."""
        lines = text.split("\n")
        first, end = _function(lines, self.function)
        old = [line.strip() for mark, line in self.lines if mark != "+"]
        places = [at for at in range(first, end - len(old) + 1)
                  if [line.strip() for line in lines[at:at + len(old)]] == old]
        if len(places) != 1:
            raise TableError(f"{len(places)} places have these lines, "
                             "expected one", old)
        at = places[0]
        new = []
        for mark, line in self.lines:
            if mark == "+":
                new.append(line)
            else:
                if mark == " ":
                    new.append(lines[at])
                at += 1
        lines[places[0]:at] = new
        return "\n".join(lines)


def _function(lines, name):
    """The first line of function NAME and the one after its last."""
    if not name:
        return 0, len(lines)
    word = re.compile(rf"(?:^|[^\w]){re.escape(name)}\b")
    for at, line in enumerate(lines):
        if not word.search(line) or line[:1] in (" ", "\t", "/", "*"):
            continue
        if line.startswith("#"):
            return at, at + 1
        end = at
        while end < len(lines) and not lines[end].startswith("}"):
            if lines[end].endswith(";") and not lines[end][:1].isspace():
                break    # a declaration
            end += 1
        else:
            return at, min(end + 1, len(lines))
    raise TableError(f"no function {name}")


@dataclass
class Mutant:
    """edits: {path in the repository: [Hunk]}; origin: file:line of the entry."""

    name: str
    origin: str
    breaks: str = ""
    shows: list = field(default_factory=list)
    test: str = ""
    survives: str = ""
    edits: dict = field(default_factory=dict)

    def texts(self, top=paths.REPO):
        """{path: the mutated text}."""
        found = {}
        for path, hunks in self.edits.items():
            try:
                text = (top / path).read_text()
            except OSError as error:
                raise TableError(f"{self.origin}: mutant {self.name}: {path}: "
                                 f"{error.strerror}") from None
            for hunk in hunks:
                try:
                    text = hunk.apply(text)
                except TableError as error:
                    raise TableError(
                        f"{self.origin}: mutant {self.name} does not fit "
                        f"{path}, {hunk.function or 'whole file'}: "
                        f"{error.message}", error.detail) from None
            found[path] = text
        return found


def parse(text, origin):
    """The mutants of one file of the table."""
    found = []
    hunk = path = None
    for number, line in enumerate(text.splitlines(), 1):
        place = f"{origin}:{number}"
        if hunk is not None and line[:1] in ("-", "+", " "):
            hunk.lines.append((line[0], line[1:]))
            continue
        if not line.strip():
            hunk = path = None
            continue
        if line.startswith("#"):
            continue
        key, _, rest = line.partition(" ")
        rest = rest.strip()
        if key == "mutant" and NAME.fullmatch(rest):
            found.append(Mutant(rest, place))
            hunk = path = None
        elif not found:
            raise TableError(f"{place}: '{line}' before any 'mutant NAME'")
        elif key in ("breaks", "test", "survives") and rest:
            setattr(found[-1], key, rest)
        elif key == "shows" and rest:
            found[-1].shows = rest.split()
        elif key == "file" and rest.startswith(SOURCES):
            path = rest
            found[-1].edits.setdefault(path, [])
        elif key == "@@" and path is not None:
            hunk = Hunk(rest)
            found[-1].edits[path].append(hunk)
        else:
            raise TableError(f"{place}: '{line}': expected mutant, breaks, "
                             "shows, test, survives, file or @@")
    for mutant in found:
        _check(mutant)
    return found


def _check(mutant):
    missing = [name for name in ("breaks", "shows", "test", "edits")
               if not getattr(mutant, name)]
    missing += [path for path, hunks in mutant.edits.items()
                if not any(mark != " " for hunk in hunks
                           for mark, _ in hunk.lines)]
    if missing:
        raise TableError(f"{mutant.origin}: mutant {mutant.name} has no "
                         + ", no ".join(missing))


def load(folder=FOLDER):
    """All mutants of the table, in its order."""
    found, names = [], {}
    for path in sorted(folder.glob("*.txt")):
        if path.name == NONE.name:
            continue
        for mutant in parse(path.read_text(), path.name):
            if mutant.name in names:
                raise TableError(f"{mutant.origin}: mutant {mutant.name} is "
                                 f"also at {names[mutant.name]}")
            names[mutant.name] = mutant.origin
            found.append(mutant)
    return found


def rules(spec):
    """The ids that need a mutant, or a reason in none.txt."""
    return [name for name in spec.requirements
            if name.rpartition("-")[0] in AREAS]


def without(spec, folder=FOLDER):
    """{id: reason} of none.txt."""
    reasons, unknown = requirements.read_reasons(
        (folder / NONE.name).read_text(), spec.requirements)
    if unknown:
        raise TableError(f"{NONE.name}: " + "; ".join(unknown))
    return reasons


def complaints(spec, shown, reasons, mutants):
    """What is wrong with the table as a whole."""
    known = set(spec.requirements) | spec.others
    found = [f"{mutant.origin}: mutant {mutant.name} shows {name}, which is "
             "no requirement" for mutant in mutants for name in mutant.shows
             if name not in known]
    found += [f"{name} has neither a mutant nor a reason in {NONE.name}"
              for name in rules(spec) if name not in shown
              and name not in reasons]
    found += [f"{name} has a mutant; its reason in {NONE.name} is out of date"
              for name in reasons if name in shown]
    return found
