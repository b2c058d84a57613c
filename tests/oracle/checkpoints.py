"""Reading checkpoints with PyTorch's own loaders, and comparing what came out."""

import importlib.util
import io
import os
import pickle
import sys

import torch
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.metadata import BytesStorageMetadata, Metadata


class Differences:
    """What is not equal, one line each."""

    def __init__(self):
        self.lines = []

    def add(self, where, what):
        self.lines.append(f"{where}: {what}")

    def sets(self, where, ours, expected):
        for name in sorted(set(expected) - set(ours), key=str):
            self.add(where, f"missing: {name}")
        for name in sorted(set(ours) - set(expected), key=str):
            self.add(where, f"not expected: {name}")

    def exit(self, summary):
        """Ends the program: 0 and the summary if there were none, else 1."""
        if not self.lines:
            print(f"equal: {summary}")
            sys.exit(0)
        for line in self.lines[:50]:
            print(f"differs: {line}")
        if len(self.lines) > 50:
            print(f"and {len(self.lines) - 50} more")
        sys.exit(1)


def bits(tensor):
    """The bytes of a tensor's elements, in order: NaN payloads and signs of zeros count."""
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


def compare_tensors(where, ours, expected, differences):
    for what in ("dtype", "shape"):
        if getattr(ours, what) != getattr(expected, what):
            differences.add(where, f"{what} {getattr(ours, what)}, expected {getattr(expected, what)}")
            return
    equal = bits(ours) == bits(expected)
    if not equal.all():
        wrong = (~equal.reshape(ours.numel(), -1).all(dim=1)).nonzero().reshape(-1)
        first = int(wrong[0])
        differences.add(
            where,
            f"{len(wrong)} of {ours.numel()} elements, first [{first}]: "
            f"{ours.reshape(-1)[first].item()}, expected {expected.reshape(-1)[first].item()}",
        )


def compare_data(where, ours, expected, differences, order=False):
    """Any nest of containers, tensors and plain values; types must be the same, so that 1, 1.0 and True
    differ. With order, dictionaries must list their keys in the same order."""
    if type(ours) is not type(expected):
        differences.add(where, f"{type(ours)}, expected {type(expected)}")
    elif isinstance(expected, torch.Tensor):
        compare_tensors(where, ours, expected, differences)
    elif isinstance(expected, dict):
        differences.sets(where, ours, expected)
        if order and list(ours) != list(expected) and set(ours) == set(expected):
            differences.add(where, "keys are in another order")
        for key in expected:
            if key in ours:
                compare_data(f"{where}[{key!r}]", ours[key], expected[key], differences, order)
    elif isinstance(expected, (list, tuple)):
        if len(ours) != len(expected):
            differences.add(where, f"{len(ours)} entries, expected {len(expected)}")
        for i, (one, other) in enumerate(zip(ours, expected)):
            compare_data(f"{where}[{i}]", one, other, differences, order)
    elif isinstance(expected, io.BytesIO):
        compare_data(where, ours.getvalue(), expected.getvalue(), differences)
    elif hasattr(expected, "__dict__") and not isinstance(expected, type):
        compare_data(f"{where}.__dict__", vars(ours), vars(expected), differences, order)
    elif ours != expected and not (ours != ours and expected != expected):
        differences.add(where, f"{ours!r}, expected {expected!r}")


class _MegatronFree(pickle.Unpickler):
    """Reads a .metadata of Megatron where Megatron is not installed."""

    def find_class(self, module, name):
        if module.split(".")[0] == "megatron":
            return type(name, (Metadata,) if name == "MCoreMetadata" else (), {})
        return super().find_class(module, name)


class MegatronFreeReader(dcp.FileSystemReader):
    def read_metadata(self):
        with open(os.path.join(self.path, ".metadata"), "rb") as file:
            return _MegatronFree(file).load()


def require_no_megatron():
    if importlib.util.find_spec("megatron") is not None:
        sys.exit("run this in an environment without Megatron: it shows that none is needed")


def read_dcp(path, reader=dcp.FileSystemReader):
    """The metadata and {key: tensor} and {key: object} of a torch_dist folder, by
    torch.distributed.checkpoint."""
    metadata = reader(path).read_metadata()
    loaded = []
    # The loader copies chunks into what it is given and converts types. What no chunk covers keeps
    # what was there: shown by loading twice over different bytes.
    for fill in (0x00, 0xFF):
        state = {}
        for key, entry in metadata.state_dict_metadata.items():
            if isinstance(entry, BytesStorageMetadata):
                state[key] = None
            else:
                state[key] = torch.empty(entry.size, dtype=entry.properties.dtype)
                state[key].reshape(-1).view(torch.uint8).fill_(fill)
        dcp.load(state, storage_reader=reader(path), no_dist=True)
        loaded.append(state)
    differences = Differences()
    for key, tensor in loaded[0].items():
        if isinstance(tensor, torch.Tensor):
            compare_tensors(f"{path}: {key}: not covered by chunks", tensor, loaded[1][key], differences)
    _check_items(path, metadata, differences)
    if differences.lines:
        differences.exit("")
    is_object = {
        key: isinstance(entry, BytesStorageMetadata)
        for key, entry in metadata.state_dict_metadata.items()
    }
    tensors = {key: value for key, value in loaded[0].items() if not is_object[key]}
    objects = {key: value for key, value in loaded[0].items() if is_object[key]}
    return metadata, tensors, objects


def _check_items(path, metadata, differences):
    """Each stored chunk is a .pt of its own, of the type and shape that the metadata states."""
    chunks = {}
    for index, info in metadata.storage_data.items():
        where = f"{path}: {index.fqn} at {index.offset}"
        with open(os.path.join(path, info.relative_path), "rb") as file:
            file.seek(info.offset)
            item = file.read(info.length)
        if len(item) != info.length:
            differences.add(where, f"{len(item)} bytes in the file, expected {info.length}")
            continue
        entry = metadata.state_dict_metadata.get(index.fqn)
        if entry is None:
            differences.add(where, "stored, but not in the list of keys")
            continue
        if isinstance(entry, BytesStorageMetadata):
            continue
        tensor = torch.load(io.BytesIO(item), weights_only=True)
        sizes = [chunk.sizes for chunk in entry.chunks if chunk.offsets == index.offset]
        if [tensor.shape] != sizes or tensor.dtype != entry.properties.dtype:
            differences.add(
                where, f"{tensor.dtype} {tensor.shape}, expected {entry.properties.dtype} {sizes}"
            )
        chunks.setdefault(index.fqn, set()).add(tuple(index.offset))
    for key, entry in metadata.state_dict_metadata.items():
        if not isinstance(entry, BytesStorageMetadata):
            expected = {tuple(chunk.offsets) for chunk in entry.chunks}
            differences.sets(f"{path}: {key}: chunks", chunks.get(key, set()), expected)
