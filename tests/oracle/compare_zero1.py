"""compare_zero1.py OURS EXPECTED: rank files of ours against those that the Python script wrote.

Equal must be: which files there are, all keys and their order, types, bits of all tensors, requires_grad,
and extra states. output_dir, where the script writes it, must be where ours was written. Of ours, tensors must be contiguous and fill
their storages.
"""

import argparse
import os

import torch

import checkpoints


def load(path):
    # Extra states are io.BytesIO, which weights_only does not know; these files are our own and the
    # script's.
    return torch.load(path, map_location="cpu", weights_only=False)


def check_storage(where, tensor, differences):
    size = tensor.numel() * tensor.element_size()
    if not tensor.is_contiguous() or tensor.untyped_storage().nbytes() != size:
        differences.add(where, f"strides {tensor.stride()}, storage of "
                               f"{tensor.untyped_storage().nbytes()} bytes, expected {size}")


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ours")
    parser.add_argument("expected")
    arguments = parser.parse_args(argv)
    differences = checkpoints.Differences()
    names = os.listdir(arguments.ours)
    differences.sets("files", names, os.listdir(arguments.expected))

    tensors = 0
    for name in sorted(set(names) & set(os.listdir(arguments.expected))):
        ours, expected = (load(os.path.join(d, name)) for d in (arguments.ours, arguments.expected))
        if "output_dir" in expected:
            if ours.get("output_dir") != arguments.ours:
                differences.add(name, f"output_dir {ours.get('output_dir')!r}, expected {arguments.ours!r}")
            expected["output_dir"] = ours.get("output_dir")
        checkpoints.compare_data(name, ours, expected, differences, order=True)
        for key, tensor in ours["module"].items():
            if not isinstance(tensor, torch.Tensor):
                continue
            tensors += 1
            check_storage(f"{name}: {key}", tensor, differences)
            other = expected["module"].get(key)
            if other is not None and tensor.requires_grad != other.requires_grad:
                differences.add(f"{name}: {key}", f"requires_grad {tensor.requires_grad}")
    if not tensors:
        differences.add(arguments.ours, "no tensors")
    differences.exit(f"{len(names)} files, {tensors} tensors")


if __name__ == "__main__":
    main()
