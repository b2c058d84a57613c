"""compare_nemo2.py OURS EXPECTED: a NeMo2 folder (torch_dist) of ours against one of the real importer.

Equal must be: keys, shapes, types, properties and bits of all tensors; all objects; common.pt,
metadata.json, context/io.json and context/model.yaml as data; and which files there are. Free are the
chunks, and the names and number of the .distcp files. Ours is read without Megatron.
"""

import argparse
import json
import os

import torch
import yaml

import checkpoints


def files_below(folder):
    found = set()
    for parent, _, names in os.walk(folder):
        found.update(os.path.relpath(os.path.join(parent, name), folder) for name in names)
    return found


def data_files(metadata):
    return {os.path.join("weights", info.relative_path) for info in metadata.storage_data.values()}


def load_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def load_yaml(path):
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


def load_pt(path):
    return torch.load(path, weights_only=True)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ours")
    parser.add_argument("expected")
    arguments = parser.parse_args(argv)
    checkpoints.require_no_megatron()
    differences = checkpoints.Differences()

    for name, load in (
        ("context/io.json", load_json),
        ("context/model.yaml", load_yaml),
        ("weights/metadata.json", load_json),
        ("weights/common.pt", load_pt),
    ):
        ours, expected = (os.path.join(d, name) for d in (arguments.ours, arguments.expected))
        if os.path.exists(ours):
            checkpoints.compare_data(name, load(ours), load(expected), differences)

    metadata, tensors, objects = checkpoints.read_dcp(os.path.join(arguments.ours, "weights"))
    expected_metadata, expected_tensors, expected_objects = checkpoints.read_dcp(
        os.path.join(arguments.expected, "weights"), checkpoints.MegatronFreeReader
    )
    differences.sets("tensors", tensors, expected_tensors)
    differences.sets("objects", objects, expected_objects)
    for key in sorted(tensors.keys() & expected_tensors.keys()):
        checkpoints.compare_tensors(key, tensors[key], expected_tensors[key], differences)
        properties, expected_properties = (
            m.state_dict_metadata[key].properties for m in (metadata, expected_metadata)
        )
        if properties != expected_properties:
            differences.add(key, f"{properties}, expected {expected_properties}")
    for key in sorted(objects.keys() & expected_objects.keys()):
        checkpoints.compare_data(key, objects[key], expected_objects[key], differences)

    differences.sets(
        "files",
        files_below(arguments.ours) - data_files(metadata),
        files_below(arguments.expected) - data_files(expected_metadata),
    )
    differences.exit(
        f"{len(tensors)} tensors, {len(objects)} objects, common.pt, metadata.json, io.json, model.yaml"
    )


if __name__ == "__main__":
    main()
