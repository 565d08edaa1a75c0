# SPDX-License-Identifier: GPL-2.0-or-later
"""`dxg requirements`: which test shows which requirement.

What there is: the ids of docs/specs/wddm-semantics.md, the rows T1.. of its
table 2.2, and the illegal acts below that table, ILL-1.. in their order.

What a test shows, by one rule: the ids in the names of its results (string
literals of its source), and the ids in the comments that stand before its
code, at the start of a line: the source's own, and those of its functions.
Each id is written out there: a range or a group claims what nobody has looked
at, and is an error.  Comments within code may name ids and show nothing.

What has no test has a reason in tests/requirements.txt, where ranges are
written ORD-1..10 and a whole group DDI-SC-*.  An id with neither is an error,
and so is an unknown id in a test or in that file.
"""

import ast
import re
from dataclasses import dataclass, field

from dxglib import errors, paths, results
from dxglib.errors import UsageError
from dxglib.requirements_html import page

SPEC = paths.REPO / "docs/specs/wddm-semantics.md"
REASONS = paths.TESTS / "requirements.txt"

REQUIREMENTS_TEXT = """\
List every requirement of docs/specs/wddm-semantics.md with the tests that
show it and their last result, or the reason why none does; then the seed
documents' statements, each with its requirements.  Fails when a requirement
has neither a test nor a reason, and when a test names one that is not there.
"""

# Where test programs are, and the name that meson's tests of them begin with.
SOURCES = (
    ("tests/unit", r"test-(.+)\.c", "core-{}"),
    ("tests/unit", r"(datasheet|exports)-test\.py", "{}"),
    ("tests/unit/driver", r"(?:test-)?(.+)\.c", "driver-{}"),
    ("tests/fuzz", r"fuzz-(.+)\.c", "replay-{}"),
    ("tests/model", r"run-(model)", "{}-doorbell"),
    ("tests/qtest", r"(dxgpu-.+-test)\.c", "{}"),
    ("tests/guest", r"(host)\.c", "harness-{}"),
    ("tests/guest", r"(?!host\.)(.+)\.c", "{}"),
    ("tests/guest/driver", r"(.+)\.c", "driver-{}"),
    ("tests/guest/null", r"(.+)\.c", "null-{}"),
    ("tests/guest/conformance", r"(.+)\.c", "conformance-{}"),
    ("tests/guest/tools", r"(tool-.+)", "{}"),
    ("guest-lib/tests", r"(.+)-test\.c", "lib-{}"),
    ("guest-lib/tools/tests", r"(job)-test\.c", "tool-{}-parts"),
    # These two play with ids.
    ("tests/harness", r"test_((?!requirements|mutants).+)\.py", "dxg-{}"),
)

AREAS = (r"OBJ|SM|ORD|UMD|MAP|DEV|MOD|PF|MF|NF|LOG|FH|SEC|OP|ILL|CB-DC"
         r"|KMT(?:-[A-Z]{2})?|DDI-[A-Z]{2}")
ID = re.compile(rf"(?<![\w-])((?:{AREAS})-(?:0\.)?)(?:(\*)|(\d+))"
                rf"(?:\.\.(\d+))?(?![0-9])"
                rf"|(?<![\w.-])(T)(\d+)(?:\.\.T?(\d+))?(?![\w-])")
LIMIT = 1000    # no range is that long

_STRING = re.compile(r'"((?:\\.|[^"\\\n])*)"')
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


@dataclass
class Requirement:
    """tests: program name -> the result of what it says about this id."""

    name: str
    text: str
    tests: dict = field(default_factory=dict)
    reason: str = ""

    @property
    def state(self):
        """fail, pass, skip, not run (all of them: tested), or a reason."""
        found = set(self.tests.values())
        for state in ("fail", "pass", "skip", "not run"):
            if state in found:
                return state
        return "explained" if self.reason else "missing"


@dataclass
class Spec:
    """requirements: name -> Requirement; others: ids that may be named, too."""

    requirements: dict
    others: set
    seeds: list


def read_spec(text):
    """The Spec that the semantics' text says."""
    found = {name: Requirement(name, what) for name, what in re.findall(
        r"^- ([A-Z]+(?:-[A-Z]+)*-[0-9.]*[0-9]) (.*)$", text, re.M)}
    for name, start, event, rest in re.findall(
            r"^\| (T\d+) \| ([^|]*) \| ([^|]*) \| (.*)$", text, re.M):
        found[name] = Requirement(name, f"{start}: {event} ({rest})")
    acts = re.search(r"^Illegal \(.*?\): (.*)$", text, re.M)
    for number, act in enumerate(acts.group(1).split(";") if acts else (), 1):
        found[f"ILL-{number}"] = Requirement(f"ILL-{number}",
                                             f"illegal: {act.strip(' .')}")
    others = set(re.findall(r"^\| (OP-\d+) \|", text, re.M))
    seeds = re.findall(r"^\| (\d+_\w+\.txt) \| ([^|]*) \| ([^|]*) \|$", text,
                       re.M)
    return Spec(found, others, seeds)


def names(text, known):
    """The ids that TEXT names, ranges written out; unknown ones as well."""
    found = []
    for match in ID.finditer(text):
        area, every, first, last, row, row_first, row_last = match.groups()
        if every:
            of_area = [name for name in known
                       if re.fullmatch(re.escape(area) + r"\d+", name)]
            found += of_area or [f"{area}*"]
            continue
        low = int(first or row_first)
        high = min(int(last or row_last or low), low + LIMIT)
        found += [f"{area or row}{number}" for number in range(low, high + 1)]
    return list(dict.fromkeys(found))


def ranges(text):
    """The ranges and groups of ids that TEXT names."""
    return [match.group() for match in ID.finditer(text)
            if "*" in match.group() or ".." in match.group()]


def said_by_c(text):
    """(comments at the start of a line, string literals) of a C source."""
    heads = [match.group() for match in _COMMENT.finditer(text)
             if match.start() == 0 or text[match.start() - 1] == "\n"]
    return "\n".join(heads), "\n".join(_STRING.findall(_COMMENT.sub(" ",
                                                                     text)))


def said_by_python(text):
    """(docstring, strings) of a Python source."""
    tree = ast.parse(text)
    head = ast.get_docstring(tree) or ""
    strings = [node.value for node in ast.walk(tree)
               if isinstance(node, ast.Constant)
               and isinstance(node.value, str)]
    return head, "\n".join(text for text in strings if text.strip() != head)


def said_by_shell(text):
    """(comment at the beginning, all but comments) of a shell script."""
    lines = text.splitlines()
    head = []
    for line in lines:
        if line.startswith("#"):
            head.append(line)
        elif head:
            break
    return "\n".join(head), "\n".join(line for line in lines
                                      if not line.lstrip().startswith("#"))


def programs(top=paths.REPO):
    """[(name of the program, path, head, strings)] of all test sources."""
    found = []
    for folder, pattern, name in SOURCES:
        for path in sorted((top / folder).glob("*")):
            match = re.fullmatch(pattern, path.name)
            if not match or not path.is_file():
                continue
            text = path.read_text(errors="replace")
            if path.suffix == ".c":
                if not re.search(r"\bmain\s*\(|^int fuzz_|LLVMFuzzer", text,
                                 re.M) and folder.startswith("tests/guest"):
                    continue
                head, strings = said_by_c(text)
            elif path.suffix == ".py" or "python3" in text.split("\n", 1)[0]:
                head, strings = said_by_python(text)
            else:
                head, strings = said_by_shell(text)
            found.append((name.format(match.group(1)), path, head, strings))
    return found


def read_reasons(text, known):
    """({id: reason}, unknown ids) of requirements.txt."""
    reasons, unknown = {}, []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        ids, colon, reason = line.partition(":")
        found = names(ids, known)
        if not colon or not reason.strip() or not found:
            unknown.append(f"no 'ID...: reason': {line}")
            continue
        for name in found:
            if name in known:
                reasons[name] = reason.strip()
            else:
                unknown.append(name)
    return reasons, unknown


def last_result(name, program, lines, bases, known):
    """Of what PROGRAM's results say about the id NAME, else of all it said.

    A run on another kernel, behind an IOMMU or with sanitizers counts where the
    program never ran without.
    """
    own = [line for line in lines if base_of(line["test"], bases) == program]
    own = [line for line in own if not line.get("variant")] or own
    about = [line for line in own if name in names(line["name"], known)]
    said = {line["result"] for line in about or own}
    for result in ("fail", "pass", "skip"):
        if result in said:
            return result
    return "not run"


def base_of(test, bases):
    """Which of the program names BASES the test is a run of; None if none."""
    if test.startswith("fuzz-"):
        test = test.replace("fuzz-", "replay-", 1)
    fitting = [base for base in bases
               if test == base or test.startswith(f"{base}-")]
    return max(fitting, key=len, default=None)


def collect(spec, sources, reasons_text, lines):
    """Fill the Spec in; returns the errors."""
    wrong = []
    known = spec.requirements
    bases = [source[0] for source in sources]
    of_base = {}
    for line in lines:
        of_base.setdefault(base_of(line["test"], bases), []).append(line)
    for program, path, head, strings in sources:
        said = f"{head}\n{strings}"
        wrong += [f"{path.relative_to(paths.REPO)}: {what}: a test names each "
                  "id that it shows, and no range" for what in ranges(said)]
        for name in names(said, known):
            if name in known:
                known[name].tests[program] = last_result(
                    name, program, of_base.get(program, []), bases, known)
            elif name not in spec.others:
                wrong.append(f"{path.relative_to(paths.REPO)}: {name} is not "
                             "in the specification")
    reasons, unknown = read_reasons(reasons_text, known)
    wrong += [f"{REASONS.name}: {what}" for what in unknown]
    for name, requirement in known.items():
        requirement.reason = reasons.get(name, "")
        if requirement.state == "missing":
            wrong.append(f"{name}: no test names it, and {REASONS.name} has "
                         "no reason")
    return wrong


def counts(spec):
    """The line of totals."""
    every = spec.requirements.values()
    tested = [one for one in every if one.tests]
    both = [one for one in tested if one.reason]
    explained = [one for one in every if one.state == "explained"]
    line = (f"{len(tested)} tested, {len(explained)} explained, "
            f"{len(spec.requirements)} in total; of the tested: " + ", ".join(
                f"{sum(one.state == state for one in tested)} {state}"
                for state in ("pass", "fail", "skip", "not run")))
    if both:
        line += f"; {len(both)} have a reason that is out of date"
    return line


def listing(spec, missing):
    """The lines of the report."""
    lines = []
    for one in spec.requirements.values():
        if missing and one.tests:
            continue
        said = ", ".join(f"{program} ({result})"
                         for program, result in one.tests.items())
        lines.append(f"{one.name:<10} {one.state:<9} {said or one.reason}")
    lines.append("")
    for file, statement, ids in spec.seeds:
        lines.append(f"{file.partition('_')[0]} {statement.strip()}")
        for name in names(ids, spec.requirements):
            one = spec.requirements.get(name)
            lines.append(f"      {name:<10} "
                         f"{one.state if one else 'decision, section 8'}")
    return lines


def add_parser(commands):
    command = commands.add_parser(
        "requirements", help="which test shows which requirement",
        usage="dxg requirements [--missing] [--html FILE]",
        description=REQUIREMENTS_TEXT)
    command.add_argument("--missing", action="store_true",
                         help="only those that no test shows")
    command.add_argument("--html", metavar="FILE",
                         help="write one page with everything")
    command.set_defaults(handler=_requirements)


def _requirements(options):
    spec = read_spec(SPEC.read_text())
    wrong = collect(spec, programs(), REASONS.read_text(), results.load())
    for line in listing(spec, options.missing):
        print(line)
    if options.html:
        try:
            with open(options.html, "w", encoding="utf-8") as file:
                file.write(page(spec, counts(spec), names))
        except OSError as error:
            raise UsageError(f"--html {options.html}: "
                             f"{error.strerror}") from None
    print()
    for line in wrong:
        print(f"error: {line}")
    print(counts(spec))
    return errors.FAILED if wrong else errors.PASS
