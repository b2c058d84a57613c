#!/usr/bin/env python3
"""Measures ckptbridge against cp, and against the Python scripts where they are given.

bench.py --program build/release/cli/ckptbridge --folder FOLDER [--size GB] [--runs N] [options]

Each flow runs interleaved with `cp --reflink=never --sparse=never` of as many bytes as it reads or
writes, whichever is more; the ratio is that of the fastest runs. The rows named "sync" are ckptbridge
as it is by default, with its output on the disk, against cp and `sync -f`. Each round has another
order, and each command begins when the disk has nothing to write: what ran before would count
otherwise. Inputs are made by make_inputs.py below FOLDER and stay there; outputs are deleted. A run on
a machine that does something else is marked void."""

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import time

import make_inputs

TO_NEMO = "convert_to_nemo --model-path {in} --output-dir {out} --profile {profile}"
RESHARD = "convert_checkpoint_model_parallel_evo2"
RESHARD_OPTIONS = " --source_dir {in} --output_dir {out} --mp_size "
# Name: input, arguments of ckptbridge, those of the Python script, and a plugin that the flow needs.
FLOWS = {
    "pt to NeMo2": ("pt", TO_NEMO, None, "nemo2-torch_dist-writer"),
    "MP8 to NeMo2": ("mp8", TO_NEMO, None, "nemo2-torch_dist-writer"),
    "MP8 to NeMo2 zarr": ("mp8", TO_NEMO + " --ckpt-format zarr", None, "nemo2-zarr-writer"),
    "MP8 to MP1": ("mp8", RESHARD + RESHARD_OPTIONS + "1", RESHARD + ".py" + RESHARD_OPTIONS + "1",
                   "mp-resharder"),
    "MP1 to MP8": ("mp1", RESHARD + RESHARD_OPTIONS + "8", RESHARD + ".py" + RESHARD_OPTIONS + "8",
                   "mp-resharder"),
    "ZeRO-3 to ZeRO-1": ("zero3-8x2",
                         "run zero3-reader path={in} ! zero1-writer path={out} style=zero3",
                         "convert_zero3_to_zero1.py {in} {out} --overwrite --mp_size 2", "zero3-reader"),
    "ZeRO-3 to NeMo2": ("zero3-8x2", "convert {in} {out} --to nemo2-torch_dist --profile {profile}",
                        None, "zero3-reader"),
}
KINDS = ("ckptbridge", "cp", "ckptbridge, sync", "cp, sync", "Python")
# Of the matrices of a layer of the 7B model.
ELEMENTS_PER_LAYER = 3 * 4096 * 4096 + 4096 * 4096 + 3 * 11008 * 4096


class Usage:
    """What a command took. Its bytes read and written are those of system calls."""

    def __init__(self, command, folder, after=()):
        # Looked at every 5 ms; the total is the kernel's own maximum until then. (That of wait4 counts
        # this script's memory before the command replaced it.)
        self.anonymous = self.file = self.peak = 0
        before = machine_busy()
        begin = time.monotonic()
        with open(f"{folder}/log.txt", "wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
            while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                self.look(process.pid)
                time.sleep(0.005)
            for step in after:
                subprocess.run(step, check=True)
            self.wall = time.monotonic() - begin
            with open(f"/proc/{process.pid}/io", encoding="ascii") as file:
                counts = dict(line.split(": ") for line in file.read().splitlines())
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            with open(f"{folder}/log.txt", encoding="utf-8", errors="replace") as log:
                raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}\n{log.read()}")
        self.read, self.written = int(counts["rchar"]), int(counts["wchar"])
        self.cpu = usage.ru_utime + usage.ru_stime
        self.user, self.system = usage.ru_utime, usage.ru_stime
        self.others = max(0.0, machine_busy() - before - self.cpu)

    def look(self, pid):
        try:
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                for line in file:
                    if line.startswith("RssAnon:"):
                        self.anonymous = max(self.anonymous, int(line.split()[1]) * 1024)
                    elif line.startswith("RssFile:"):
                        self.file = max(self.file, int(line.split()[1]) * 1024)
                    elif line.startswith("VmHWM:"):
                        self.peak = max(self.peak, int(line.split()[1]) * 1024)
        except ProcessLookupError:
            pass


def machine_busy():
    """Seconds that all processors worked since the machine started."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq = map(int, file.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def size_of(path):
    """Of a file, or of all files below a folder."""
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(folder, name))
               for folder, _, names in os.walk(path) for name in names)


def remove(path):
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.exists(path):
        os.remove(path)


def forget(path):
    """Drops the files from the page cache."""
    os.sync()
    for folder, _, names in os.walk(path):
        for name in names:
            descriptor = os.open(os.path.join(folder, name), os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


class Flow:
    def __init__(self, name, arguments):
        self.name = name
        kind, self.command, self.peer, _ = FLOWS[name]
        self.folder = arguments.folder
        self.input = f"{arguments.folder}/{kind}"
        if not os.path.isdir(self.input):
            print(f"making {self.input}", file=sys.stderr)
            words = [arguments.folder, "--layers", str(arguments.layers), "--shape", arguments.shape,
                     "--dtype", arguments.dtype, kind]
            make_inputs.make(arguments.folder, kind, make_inputs.parse(words))
        if kind == "pt":
            self.input += "/savanna.pt"
        self.output = f"{arguments.folder}/out"
        self.copy = f"{arguments.folder}/copy"
        self.options = ["--threads", str(arguments.threads), "--progress", "none"]
        if arguments.memory:
            self.options += ["--memory", arguments.memory]
        self.program = os.path.abspath(arguments.program)
        self.cold = arguments.cold
        self.runs = {}

    def words(self, text):
        for name, value in (("{in}", self.input), ("{out}", self.output),
                            ("{profile}", f"{self.folder}/profile.json")):
            text = text.replace(name, value)
        return text.split()

    def measure(self, command, written, after=()):
        remove(written)
        os.sync()
        if self.cold:
            forget(self.folder)
        return Usage(command, self.folder, after)

    def add(self, kind, *what):
        usage = self.measure(*what)
        self.runs.setdefault(kind, []).append(usage)

    def command_line(self):
        return [self.program] + self.words(self.command) + self.options

    def prepare(self):
        """Runs once, uncounted, and chooses what cp copies: as many bytes as the flow read or wrote,
        whichever is more."""
        usage = self.measure(self.command_line() + ["--no-sync"], self.output)
        self.bytes_read, self.bytes_written = usage.read, size_of(self.output)
        self.moved = max(self.bytes_read, self.bytes_written)
        self.copied = f"{self.folder}/to-copy"
        remove(self.copied)
        if self.bytes_written >= 0.95 * self.moved:
            os.rename(self.output, self.copied)
        elif size_of(self.input) <= 1.05 * self.moved:
            self.copied = self.input
        else:  # ZeRO-3: of the optimizer's files a third is read
            os.mkdir(self.copied)
            with open(f"{self.copied}/data", "wb") as file:
                make_inputs.write_data(file, "fp32", self.moved, "0")

    def run(self, number, sync):
        command = self.command_line()
        copy = ["cp", "-r", "--reflink=never", "--sparse=never", self.copied, self.copy]
        steps = [("ckptbridge", command + ["--no-sync"], self.output), ("cp", copy, self.copy)]
        if sync:
            steps += [("ckptbridge, sync", command, self.output),
                       ("cp, sync", copy, self.copy, [["sync", "-f", self.copy]])]
        random.Random(number).shuffle(steps)
        for step in steps:
            self.add(*step)
            remove(step[2])

    def run_peer(self, python, scripts):
        words = self.words(self.peer)
        environment = {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"}
        os.environ.update(environment)
        self.add("Python", [python, f"{scripts}/{words[0]}"] + words[1:], self.output)
        remove(self.output)

    def finish(self):
        remove(f"{self.folder}/to-copy")

    def result(self):
        kinds = {}
        for kind in KINDS:
            runs = self.runs.get(kind)
            if not runs:
                continue
            walls = [run.wall for run in runs]
            base = self.runs["cp, sync" if "sync" in kind else "cp"]
            kinds[kind] = {
                "runs": len(runs), "wall_min": min(walls), "wall_median": statistics.median(walls),
                "wall_max": max(walls), "ratio": min(walls) / min(run.wall for run in base),
                "user": statistics.median(run.user for run in runs),
                "system": statistics.median(run.system for run in runs),
                "peak": max(run.peak for run in runs),
                "peak_anonymous": max(run.anonymous for run in runs),
                "peak_file": max(run.file for run in runs),
                "gb_per_s": self.moved / min(walls) / 1e9,
                "others": sum(run.others for run in runs) / sum(walls),
            }
        return {"flow": self.name, "read": self.bytes_read, "written": self.bytes_written,
                "runs": kinds}


def machine():
    model = "unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":")[1].strip()
    return {"processor": model, "cores": os.cpu_count(), "system": platform.platform(),
            "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")}


def void_reasons(flows):
    """Why the numbers mean nothing: the machine did something else."""
    # A kernel writes back what a program wrote; that is a tenth of a core at most.
    return [f"{flow['flow']}, {kind}: other processes kept {run['others']:.2f} cores busy"
            for flow in flows for kind, run in flow["runs"].items() if run["others"] > 0.25]


def notes(flows):
    """Where only the fastest runs can be compared: a disk that is fast or slow by turns."""
    return [f"{flow['flow']}: cp took {copy['wall_min']:.2f} s at best and "
            f"{copy['wall_median']:.2f} s in the middle"
            for flow in flows for copy in [flow["runs"]["cp"]]
            if copy["wall_median"] > 1.5 * copy["wall_min"]]


def result_of(arguments, flows):
    return {"machine": machine(), "layers": arguments.layers, "shape": arguments.shape,
            "dtype": arguments.dtype, "threads": arguments.threads, "cold": arguments.cold,
            "flows": flows, "void": void_reasons(flows), "notes": notes(flows)}


def write_json(arguments, flows):
    with open(arguments.json, "w", encoding="utf-8") as file:
        json.dump(result_of(arguments, flows), file, indent=1)


def print_table(result):
    print(f"{'':36} {'min s':>7} {'median':>7} {'user':>6} {'sys':>6} {'GB/s':>6} {'x cp':>6} "
          f"{'MiB anon':>9} {'file':>6} {'total':>6}")
    for flow in result["flows"]:
        print(f"{flow['flow']}  ({flow['read'] / 1e9:.2f} GB read, {flow['written'] / 1e9:.2f} GB written)")
        for kind, run in flow["runs"].items():
            print(f"  {kind:34} {run['wall_min']:7.3f} {run['wall_median']:7.3f} {run['user']:6.2f} "
                  f"{run['system']:6.2f} {run['gb_per_s']:6.2f} {run['ratio']:6.2f} "
                  f"{run['peak_anonymous'] / 2**20:9.1f} {run['peak_file'] / 2**20:6.1f} "
                  f"{run['peak'] / 2**20:6.1f}")
    for note in result["notes"]:
        print(f"note: {note}")
    for reason in result["void"]:
        print(f"VOID: {reason}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--folder", required=True, help="on the disk to measure; 4 times the size is used")
    parser.add_argument("--size", type=float, default=2.0, help="of the model in GB")
    parser.add_argument("--shape", choices=make_inputs.SHAPES, default="7b")
    parser.add_argument("--dtype", choices=make_inputs.ITEM, default="bf16")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory")
    parser.add_argument("--sync", action="store_true", help="measure with sync, too")
    parser.add_argument("--cold", action="store_true", help="forget all files before each run")
    parser.add_argument("--smoke", action="store_true", help="see that all of this works: tiny models")
    parser.add_argument("--flow", action="append", choices=FLOWS, help="only this; may be repeated")
    parser.add_argument("--json", help="write the numbers to this file")
    parser.add_argument("--peer-python", help="a Python with what the scripts need")
    parser.add_argument("--peer-scripts", help="the folder of the Python scripts")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.shape, arguments.runs, arguments.sync = "tiny", 1, True
    layer = ELEMENTS_PER_LAYER * make_inputs.ITEM[arguments.dtype]
    arguments.layers = 7 if arguments.shape == "tiny" else max(1, round(arguments.size * 1e9 / layer))
    return arguments


def main():
    arguments = parse()
    os.makedirs(arguments.folder, exist_ok=True)
    listing = subprocess.run([arguments.program, "plugins"], check=True, capture_output=True, text=True)
    flows = []
    for name in arguments.flow or FLOWS:
        if FLOWS[name][3] not in listing.stdout:
            print(f"{name}: left out, there is no plugin {FLOWS[name][3]}", file=sys.stderr)
            continue
        flow = Flow(name, arguments)
        flow.prepare()
        for number in range(arguments.runs):
            print(f"{name}: run {number + 1} of {arguments.runs}", file=sys.stderr)
            flow.run(number, arguments.sync)
        if flow.peer and arguments.peer_python and arguments.peer_scripts:
            flow.run_peer(arguments.peer_python, arguments.peer_scripts)
        flow.finish()
        flows.append(flow.result())
        if arguments.json:  # after each flow: a run that is cut short leaves what it has
            write_json(arguments, flows)
    print_table(result_of(arguments, flows))
    if arguments.smoke:
        remove(arguments.folder)
        return 0 if flows else 1
    return 1 if void_reasons(flows) else 0


if __name__ == "__main__":
    sys.exit(main())
