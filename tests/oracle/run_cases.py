"""Runs the cases of one environment: run_cases.py CASES FOLDER

A line of CASES is a name, a script of this folder and its arguments, with tabs between them. Each case runs in a
process that is forked off when all scripts are imported, since importing PyTorch takes seconds. Of each, FOLDER gets
NAME.log, what it said, and NAME.status, the exit code.
"""

import contextlib
import importlib
import os
import runpy
import signal
import sys
import time
import traceback

LIMIT = 300  # seconds for a case


def run(script, arguments):
    """The exit code of a script, as if Python had been started with it."""
    sys.argv = [script, *arguments]
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as exit_:
        if exit_.code is None or isinstance(exit_.code, int):
            return int(exit_.code or 0)
        print(exit_.code, file=sys.stderr)
        return 1
    except BaseException:  # Python's own way to end a script with an error.
        traceback.print_exc()
        return 1
    return 0


def run_apart(log, script, arguments):
    """The exit code of a script that runs in a process of its own, which leaves none behind."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setpgid(0, 0)
            descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            signal.alarm(LIMIT)
            status = run(script, arguments)
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if status < 0:
        with open(log, "a") as file:
            print(f"ended by {signal.Signals(-status).name}", file=file)
        return 1
    return status


def main(cases, folder):
    here = os.path.dirname(os.path.abspath(__file__))
    with open(cases) as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    for script in dict.fromkeys(line[1] for line in lines):
        try:
            importlib.import_module(script.removesuffix(".py"))
        except Exception:  # which the cases of this script tell
            print(f"{script} cannot be imported")
    for name, script, *arguments in lines:
        begin = time.monotonic()
        status = run_apart(os.path.join(folder, name + ".log"), os.path.join(here, script), arguments)
        with open(os.path.join(folder, name + ".status"), "w") as file:
            print(status, file=file)
        print(f"{name}: {status}, after {time.monotonic() - begin:.1f} s", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
