"""load_zarr.py WEIGHTS EXPECTED: megatron.core.dist_checkpointing loads all tensors and objects of a zarr
folder, by each of its two loaders, and they are what the torch_dist folder EXPECTED holds, bit for bit."""

import argparse

import torch.distributed
from megatron.core import dist_checkpointing
from megatron.core.dist_checkpointing.mapping import ShardedObject
from megatron.core.dist_checkpointing.serialization import load_sharded_metadata
from megatron.core.dist_checkpointing.strategies.tensorstore import TensorStoreLoadShardedStrategy
from megatron.core.dist_checkpointing.strategies.zarr import ZarrLoadShardedStrategy

import checkpoints


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights")
    parser.add_argument("expected")
    arguments = parser.parse_args(argv)
    # Megatron always asks for its rank.
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group(
            "gloo", store=torch.distributed.HashStore(), rank=0, world_size=1
        )
    differences = checkpoints.Differences()
    _, tensors, objects = checkpoints.read_dcp(arguments.expected, checkpoints.MegatronFreeReader)
    common = torch.load(f"{arguments.expected}/common.pt", weights_only=False)
    for loader, strategy in (
        ("tensorstore", TensorStoreLoadShardedStrategy()),
        ("zarr", ZarrLoadShardedStrategy()),
    ):
        asked = load_sharded_metadata(arguments.weights, strategy)
        is_object = {key: isinstance(entry, ShardedObject) for key, entry in asked.items()}
        differences.sets(f"{loader}: tensors", {k for k in asked if not is_object[k]}, tensors)
        differences.sets(f"{loader}: objects", {k for k in asked if is_object[k]}, objects)
        loaded = dist_checkpointing.load(
            dict(asked), arguments.weights, sharded_strategy=strategy, strict="raise_all"
        )
        for key in tensors.keys() & loaded.keys():
            checkpoints.compare_tensors(f"{loader}: {key}", loaded[key], tensors[key], differences)
        for key in objects.keys() & loaded.keys():
            # In torch_dist it is in a list.
            checkpoints.compare_data(f"{loader}: {key}", [loaded[key]], objects[key], differences)
        for key, value in common.items():
            checkpoints.compare_data(f"{loader}: common {key}", loaded.get(key), value, differences)
    differences.exit(
        f"{len(tensors)} tensors, {len(objects)} objects, {len(common)} common entries, by two loaders"
    )


if __name__ == "__main__":
    main()
