"""load_torch.py FILE.pt [--equal OTHER.pt]: loads a .pt file with torch.load, read and memory-mapped, and
checks the zip file's checksums. With --equal it must hold the same as another: keys in the same order,
types, bits, strides, and which tensors share a storage."""

import argparse
import zipfile

import torch

import checkpoints


def tensors_of(data, where=""):
    if isinstance(data, torch.Tensor):
        yield where, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from tensors_of(value, f"{where}[{key!r}]")
    elif isinstance(data, (list, tuple)):
        for i, value in enumerate(data):
            yield from tensors_of(value, f"{where}[{i}]")


def layout(data):
    """Of each tensor: its strides, and the first tensor that lies in the same storage."""
    first = {}
    return {
        where: (tensor.stride(), tensor.requires_grad,
                first.setdefault(tensor.untyped_storage().data_ptr() or where, where))
        for where, tensor in tensors_of(data)
    }


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--equal", metavar="OTHER", help="a .pt file that must hold the same")
    parser.add_argument("--trust", action="store_true",
                        help="let the pickles make objects of any class, as torch.load once did")
    arguments = parser.parse_args(argv)
    differences = checkpoints.Differences()

    with zipfile.ZipFile(arguments.file) as archive:
        broken = archive.testzip()
        if broken is not None:
            differences.add(arguments.file, f"{broken}: the checksum is wrong")

    safe = not arguments.trust
    data = torch.load(arguments.file, map_location="cpu", weights_only=safe, mmap=False)
    mapped = torch.load(arguments.file, map_location="cpu", weights_only=safe, mmap=True)
    checkpoints.compare_data("memory-mapped", mapped, data, differences, order=True)
    if arguments.equal:
        other = torch.load(arguments.equal, map_location="cpu", weights_only=safe)
        checkpoints.compare_data("data", data, other, differences, order=True)
        checkpoints.compare_data("layout", layout(data), layout(other), differences)
    differences.exit(f"{len(layout(data))} tensors")


if __name__ == "__main__":
    main()
