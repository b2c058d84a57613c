"""load_megatron.py WEIGHTS: megatron.core.dist_checkpointing loads all tensors and objects of a torch_dist
folder, and they are what torch.distributed.checkpoint reads, bit for bit."""

import argparse
import sys

import torch.distributed
from megatron.core import dist_checkpointing
from megatron.core.dist_checkpointing.mapping import ShardedObject, ShardedTensor
from megatron.core.dist_checkpointing.serialization import load_plain_tensors, load_sharded_metadata

import checkpoints


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights")
    path = parser.parse_args(argv).weights
    # Megatron always asks for its rank.
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group(
            "gloo", store=torch.distributed.HashStore(), rank=0, world_size=1
        )
    differences = checkpoints.Differences()

    common = dist_checkpointing.load_common_state_dict(path)
    if not dist_checkpointing.check_is_distributed_checkpoint(path):
        sys.exit(f"{path}: not a distributed checkpoint to Megatron")
    asked = load_sharded_metadata(path)
    loaded = dist_checkpointing.load(dict(asked), path, strict="raise_all")
    plain_tensors = load_plain_tensors(path)

    _, tensors, objects = checkpoints.read_dcp(path, checkpoints.MegatronFreeReader)
    is_object = {key: isinstance(entry, ShardedObject) for key, entry in asked.items()}
    assert all(isinstance(entry, (ShardedObject, ShardedTensor)) for entry in asked.values())
    differences.sets("tensors", {key for key in asked if not is_object[key]}, tensors)
    differences.sets("objects", {key for key in asked if is_object[key]}, objects)
    differences.sets("all", loaded, set(asked) | set(common))
    for key in tensors.keys() & loaded.keys():
        checkpoints.compare_tensors(key, loaded[key], tensors[key], differences)
        checkpoints.compare_tensors(f"{key} (plain)", plain_tensors[key], tensors[key], differences)
    for key in objects.keys() & loaded.keys():
        # Megatron stores the list of a key's objects, here one.
        checkpoints.compare_data(key, [loaded[key]], objects[key], differences)
    for key, value in common.items():
        checkpoints.compare_data(f"common {key}", loaded.get(key), value, differences)
    differences.exit(f"{len(tensors)} tensors, {len(objects)} objects, {len(common)} common entries")


if __name__ == "__main__":
    main()
