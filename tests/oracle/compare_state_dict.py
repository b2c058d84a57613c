"""compare_state_dict.py OURS SOURCE [--through-nemo DTYPE]: OURS has exactly the tensors of SOURCE, a .pt as
savanna saves it. OURS is a plain state dict in a .pt, a folder of safetensors, or one of rank files, whose
shards are laid end to end. With --through-nemo, it has what a NeMo2 checkpoint of that dtype leaves of them."""

import argparse
import glob
import json
import os

import safetensors.torch
import torch
import torch.distributed.checkpoint as dcp

import checkpoints


def load_pt(path, differences):
    data = torch.load(path, weights_only=True, mmap=True)
    if type(data) is not dict:
        differences.add(path, f"{type(data)}, expected a dict")
    for key, value in data.items():
        if not isinstance(value, torch.Tensor):
            differences.add(key, f"{type(value)}, expected a tensor")
        elif value.requires_grad or not value.is_contiguous():
            differences.add(key, "requires_grad, or not contiguous")
    return data


def load_safetensors(folder, differences):
    """By the package itself and by PyTorch's own reader of such folders."""
    files = sorted(glob.glob(os.path.join(folder, "*.safetensors")))
    data = {}
    for file in files:
        data.update(safetensors.torch.load_file(file))
        with safetensors.safe_open(file, "pt") as opened:
            if opened.metadata() != {"format": "pt"}:
                differences.add(file, f"metadata {opened.metadata()}")
    index = os.path.join(folder, "model.safetensors.index.json")
    if len(files) > 1 or os.path.exists(index):
        with open(index, encoding="utf-8") as file:
            index = json.load(file)
        differences.sets(index, index["weight_map"], data)
        total = sum(tensor.numel() * tensor.element_size() for tensor in data.values())
        if index["metadata"]["total_size"] != total:
            differences.add("index", f"total_size {index['metadata']['total_size']}, expected {total}")
    again = {key: torch.empty_like(tensor) for key, tensor in data.items()}
    dcp.load(again, storage_reader=dcp.HuggingFaceStorageReader(folder), no_dist=True)
    for key, tensor in data.items():
        checkpoints.compare_tensors(f"{key} in torch.distributed.checkpoint", again[key], tensor, differences)
    return data


def load_ranks(folder, expected, differences):
    files = sorted(glob.glob(os.path.join(folder, "mp_rank_*_model_states.pt")))
    ranks = [torch.load(file, weights_only=True)["module"] for file in files]
    data = {}
    for key in ranks[0]:
        shards = [rank[key] for rank in ranks]
        whole = expected[key].shape if key in expected else ()
        split = [dim for dim, size in enumerate(whole) if shards[0].shape[dim] != size]
        if split:
            data[key] = torch.cat(shards, dim=split[0])
            continue
        data[key] = shards[0]
        for shard in shards[1:]:
            checkpoints.compare_tensors(f"{key} of two ranks", shard, shards[0], differences)
    return data


def through_nemo(key, tensor, dtype):
    """None: NeMo does not hold it."""
    if key.endswith(("_extra_state", "mixer.mixer.filter.t", "mixer.rotary_emb.inv_freq")):
        return None
    if key.endswith(("mixer.mixer.filter.h", "mixer.mixer.filter.decay")):
        tensor = tensor[:, :128]
    return tensor.to(dtype)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ours")
    parser.add_argument("source")
    parser.add_argument("--through-nemo", metavar="DTYPE")
    arguments = parser.parse_args(argv)
    differences = checkpoints.Differences()

    source = torch.load(arguments.source, weights_only=False, map_location="cpu")
    expected = {
        key: value for key, value in source.get("model", source)["module"].items()
        if isinstance(value, torch.Tensor)
    }
    if arguments.through_nemo:
        dtype = getattr(torch, arguments.through_nemo)
        left = {key: through_nemo(key, value, dtype) for key, value in expected.items()}
        expected = {key: value for key, value in left.items() if value is not None}

    if os.path.isfile(arguments.ours):
        ours = load_pt(arguments.ours, differences)
    elif glob.glob(os.path.join(arguments.ours, "*.safetensors")):
        ours = load_safetensors(arguments.ours, differences)
    else:
        ours = load_ranks(arguments.ours, expected, differences)
    is_reordered = not os.path.isfile(arguments.ours) or arguments.through_nemo is not None
    if not is_reordered and list(ours) != list(expected):
        differences.add(arguments.ours, "tensors are in another order")
    differences.sets(arguments.ours, ours, expected)
    for key in expected.keys() & ours.keys():
        checkpoints.compare_tensors(key, ours[key], expected[key], differences)
    differences.exit(f"{len(expected)} tensors")


if __name__ == "__main__":
    main()
