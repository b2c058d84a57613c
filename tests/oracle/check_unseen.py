"""check_unseen.py COMMAND SEED FOLDER: makes a random model, lets the command convert it, and compares the
result with a recomputation."""

import argparse
import json
import os
import shutil
import subprocess
import sys

import checkpoints
import make_savanna
import recompute_nemo2
import yaml


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command")
    parser.add_argument("seed", type=int)
    parser.add_argument("folder")
    arguments = parser.parse_args(argv)
    checkpoints.require_no_megatron()
    folder = arguments.folder
    shutil.rmtree(folder, ignore_errors=True)
    profile = make_savanna.make(arguments.seed, folder)
    pattern = profile["hybrid_override_pattern"]
    savanna, output = os.path.join(folder, "savanna.pt"), os.path.join(folder, "nemo2")
    result = subprocess.run(
        [arguments.command, "convert_to_nemo", "--model-path", savanna, "--output-dir", output,
         "--profile", os.path.join(folder, "profile.json")],
        check=False,
    )
    if result.returncode != 0:
        sys.exit(f"ckptbridge ended with {result.returncode} for {json.dumps(profile)}")

    differences = checkpoints.Differences()
    tensors, objects = recompute_nemo2.compare(savanna, pattern, output, differences)
    with open(os.path.join(output, "context", "model.yaml"), encoding="utf-8") as file:
        config = yaml.safe_load(file)["config"]
    for field in profile.keys() - {"profile_version", "name", "inherits"}:
        if config.get(field) != profile[field]:
            differences.add("model.yaml", f"{field} {config.get(field)}, expected {profile[field]}")
    differences.exit(f"{pattern}: {tensors} tensors, {objects} objects")


if __name__ == "__main__":
    main()
