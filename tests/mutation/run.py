#!/usr/bin/env python3
"""Changes one operator of the core at a time, and says which changes no unit test notices.

  tests/mutation/run.py [FILE OR FOLDER]... [--count N] [--seed S] [--minutes M]

The sources are copied to build/mutation/source and built beside them, so that a run that is stopped
leaves nothing changed. Each change is built and tested on its own, by the tests of its folder; what they do
not notice is tried again at the end by those of whole conversions. A survivor is a test that is missing, or a
change that means nothing: README.md lists those that are known. The exit code is 1 where another survived.
"""
import argparse
import dataclasses
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "mutation"
DEFAULT = ["core/graph", "core/plan", "core/execute", "core/commit"]

# The programs that test a folder, the quickest to fail first.
TESTS = {
    "core/graph": ["graph_test", "plan_test", "execute_test", "toy_test"],
    "core/plan": ["plan_test", "execute_test", "toy_test"],
    "core/execute": ["execute_test", "toy_test"],
    "core/commit": ["commit_test", "toy_test"],
}
OTHERS = ["toy_test"]
# Those of whole conversions and of the command: they take a minute.
WIDER = ["conformance_test", "flows_test", "command_test"]

# Operators stand between spaces in formatted code; template brackets and references do not.
OPERATORS = [
    (" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "),
    (" == ", " != "), (" != ", " == "), (" && ", " || "), (" || ", " && "),
    (" + ", " - "), (" - ", " + "), (" * ", " + "), (" / ", " * "), (" % ", " / "),
    (" += ", " -= "), (" -= ", " += "), ("++", "--"), ("--", "++"),
    (" << ", " >> "), (" & ", " | "), (" | ", " & "),
]
WORDS = [("true", "false"), ("false", "true"), ("min", "max"), ("max", "min")]
CALL = re.compile(r"^(\s+)[A-Za-z_][\w.\->:\[\]]*\(.*\);$")
ASSIGNMENT = re.compile(r"^(\s+)[a-z_][\w.\->\[\]]* [-+*/|&]?= .*;$")
JUMP = re.compile(r"^(\s+)(if \(.*\) )?(return;|continue;|break;)$")


@dataclasses.dataclass(frozen=True)
class Change:
    file: str
    line: int  # from 1
    column: int
    what: str
    text: str  # the whole line as it becomes

    def key(self):
        return f"{self.file}:{self.line}:{self.column} {self.what}"


def blank(text):
    """The text with comments, literals and preprocessor lines as blanks, of the same length."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|^[ \t]*#[^\n]*',
        re.S | re.M)
    hide = lambda match: re.sub(r"[^\n]", " ", match.group())
    return pattern.sub(hide, text)


def closing(line, at):
    """Where the parenthesis that opens at `at` closes on the same line, or None."""
    depth = 0
    for i in range(at, len(line)):
        depth += {"(": 1, ")": -1}.get(line[i], 0)
        if depth == 0:
            return i
    return None


def changes_of(file):
    """All changes of one file, in order."""
    text = (ROOT / file).read_text()
    lines = text.split("\n")
    found = []
    for number, (line, code) in enumerate(zip(lines, blank(text).split("\n")), 1):
        # An assertion is not built; a declaration that loses its operator means nothing.
        if re.search(r"\b(assert|static_assert|template|operator|using|fmt::format)\b", code):
            continue

        def add(column, what, becomes):
            found.append(Change(file, number, column + 1, what, becomes))

        for old, new in OPERATORS:
            for match in re.finditer(re.escape(old), code):
                at = match.start()
                what = f"{old.strip()} to {new.strip()}"
                add(at, what, line[:at] + new + line[at + len(old):])
        for old, new in WORDS:
            for match in re.finditer(rf"\b{old}\b(?! [=])", code):
                at = match.start()
                add(at, f"{old} to {new}", line[:at] + new + line[at + len(old):])
        for match in re.finditer(r"\bif \(", code):
            begin = match.end() - 1
            end = closing(code, begin)
            if end is None or ";" in code[begin:end]:
                continue
            condition = line[begin:end + 1]
            add(begin, "if never", line[:begin] + f"(false && {condition})" + line[end + 1:])
            add(begin, "if always", line[:begin] + f"(true || {condition})" + line[end + 1:])
        if JUMP.match(code) and not code.strip().startswith("return"):
            add(0, "no jump", re.sub(r"(return|continue|break);$", ";", line))
        elif (CALL.match(code) or ASSIGNMENT.match(code)) and "return" not in code:
            add(0, "no statement", re.match(r"\s+", line).group() + ";")
    return found


def files_of(arguments):
    for argument in arguments:
        path = ROOT / argument
        for file in sorted(path.rglob("*.cpp")) if path.is_dir() else [path]:
            yield str(file.relative_to(ROOT))


def tests_of(file):
    return TESTS.get(str(pathlib.PurePath(file).parent), OTHERS)


def limits():
    """A change may make a loop that never ends or asks for all memory there is."""
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(command, seconds, **more):
    """The exit code and the output; None in place of the code where the time was up."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace", stdin=subprocess.DEVNULL, start_new_session=True, **more)
    try:
        output, _ = process.communicate(timeout=seconds)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return None, process.communicate()[0]


class Build:
    """A copy of the sources, and its build."""

    def __init__(self):
        self.source = WORK / "source"
        self.binary = WORK / "build"
        self.programs = {}
        self.seconds = {}

    def copy(self):
        listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                                check=True, capture_output=True, text=True).stdout.split("\n")
        wanted = {name for name in listed if name and (ROOT / name).is_file()}
        for name in wanted:
            target = self.source / name
            content = (ROOT / name).read_bytes()
            if target.is_file() and target.read_bytes() == content:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            shutil.copymode(ROOT / name, target)
        for path in [path for path in self.source.rglob("*") if path.is_file()]:
            if str(path.relative_to(self.source)) not in wanted:
                path.unlink()

    def make(self, targets, seconds=None):
        # What a change makes is of no use to anybody else.
        cache = {} if seconds is None else {"CCACHE_DISABLE": "1"}
        return run(["cmake", "--build", str(self.binary), "--parallel", "2", "--target", *targets], seconds,
                   env=os.environ | cache)

    def prepare(self, targets):
        self.copy()
        code, output = run(["cmake", "-S", str(self.source), "-B", str(self.binary), "-G", "Ninja",
                            "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DCKPTBRIDGE_TORCH=OFF"], None)
        if code != 0:
            sys.exit(output)
        self.measure(targets)

    def measure(self, targets):
        code, output = self.make(targets)
        if code != 0:
            sys.exit(output)
        for program in targets:
            self.programs[program] = next(path for path in self.binary.rglob(program) if path.is_file())
            begin = time.monotonic()
            code, output = self.test(program, 600)
            self.seconds[program] = time.monotonic() - begin
            if code != 0:
                sys.exit(f"{program} fails without any change\n{output}")
            print(f"{program}: {self.seconds[program]:.1f} s", flush=True)

    def test(self, program, seconds):
        path = self.programs[program]
        return run([str(path), "--gtest_brief=1", "--gtest_fail_fast"], seconds, cwd=path.parent,
                   preexec_fn=limits)

    def outcome(self, change, programs):
        """"survived", "killed by …", or "does not compile"."""
        file = self.source / change.file
        original = file.read_text()
        lines = original.split("\n")
        lines[change.line - 1] = change.text
        file.write_text("\n".join(lines))
        try:
            code, output = self.make(["ckptbridge_core"], 300)
            if code != 0:
                return "does not compile"
            for program in programs:
                code, output = self.make([program], 300)
                if code != 0:
                    return f"killed by the build of {program}"
                code, output = self.test(program, 10 + 10 * self.seconds[program])
                if code is None:
                    return f"killed by {program}, out of time"
                if code != 0:
                    failed = re.search(r"\[  FAILED  \] (\S+)", output)
                    return f"killed by {program}" + (f", {failed.group(1)}" if failed else f", exit {code}")
            return "survived"
        finally:
            file.write_text(original)


def known_survivors():
    """The changes that README.md explains, as identity() names them."""
    known = set()
    for row in (pathlib.Path(__file__).parent / "README.md").read_text().split("\n"):
        cells = [cell.strip() for cell in row.strip("|").split("|")] if row.startswith("| `") else []
        if len(cells) >= 3:
            known.add((cells[0].strip("`"), cells[1], re.sub(r"\s+", "", cells[2].replace("&#124;", "|").strip("`"))))
    return known


def identity(change, source):
    """What names a change in README.md: the line as it becomes; of a line that goes, itself and the next one."""
    lines = source.split("\n")
    text = change.text if not change.what.startswith("no ") else " ".join(lines[change.line - 1:change.line + 1])
    return change.file, change.what.replace("|", "&#124;"), re.sub(r"\s+", "", text)


def choose(files, seed, count):
    """A sample in which each folder has its share."""
    by_folder = {}
    for file in files:
        by_folder.setdefault(pathlib.PurePath(file).parent, []).extend(changes_of(file))
    generator = random.Random(seed)
    for changes in by_folder.values():
        generator.shuffle(changes)
    chosen = []
    while len(chosen) < count and any(by_folder.values()):
        for changes in by_folder.values():
            if changes and len(chosen) < count:
                chosen.append(changes.pop())
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", default=DEFAULT, help="files or folders, from the root of the repository")
    parser.add_argument("--count", type=int, default=100, help="changes to try at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=24 * 60, help="begin no change after so long")
    parser.add_argument("--list", action="store_true", help="only list the changes")
    parser.add_argument("--match", default="", help="only changes whose FILE:LINE:COLUMN WHAT contains this text")
    parser.add_argument("--again", help="try only what survived, as the output of an earlier run in this file says")
    parser.add_argument("--quick", action="store_true", help="only the tests of each folder")
    given = parser.parse_args()
    os.nice(10)
    files = list(files_of(given.files))
    chosen = choose(files, given.seed, sys.maxsize if given.match or given.again else given.count)
    if given.again:
        log = pathlib.Path(given.again).read_text()
        chosen = [change for change in chosen if f"survived: {change.key()}\n" in log]
    chosen = [change for change in chosen if given.match in change.key()]
    if given.list:
        for change in chosen:
            print(change.key(), change.text.strip(), sep="\t")
        return 0
    build = Build()
    build.prepare(sorted({program for file in files for program in tests_of(file)}))
    known = known_survivors()
    begin = time.monotonic()
    counts = {}
    unnoticed = []

    def tell(change, outcome):
        counts[outcome.split(" by")[0]] = counts.get(outcome.split(" by")[0], 0) + 1
        print(f"{outcome}: {change.key()}", flush=True)
        if outcome == "survived":
            print(f"    {change.text.strip()}", flush=True)

    for change in chosen:
        if time.monotonic() - begin > 60 * given.minutes:
            break
        if identity(change, (build.source / change.file).read_text()) in known:
            tell(change, "explained")
            continue
        outcome = build.outcome(change, tests_of(change.file))
        if outcome == "survived" and not given.quick:
            unnoticed.append(change)
        else:
            tell(change, outcome)
    if unnoticed:
        build.measure([program for program in WIDER if program not in build.programs])
    for change in unnoticed:
        tell(change, build.outcome(change, WIDER))
    print(", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))
    return 1 if counts.get("survived") else 0


if __name__ == "__main__":
    sys.exit(main())
