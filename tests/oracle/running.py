"""Runs the oracles' scripts within a test's own process: importing PyTorch takes seconds."""

import contextlib
import importlib
import io
import traceback


def run(script, *arguments):
    """(exit status, output) of a script's main()."""
    output = io.StringIO()
    status = 0
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            importlib.import_module(script).main(arguments)
        except SystemExit as exit_:
            status = exit_.code
            if isinstance(status, str):
                print(status)
                status = 1
        except Exception:  # Python's own way to end a script with an error.
            traceback.print_exc()
            status = 1
    return status, output.getvalue()
