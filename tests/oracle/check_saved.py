"""check_saved.py COMMAND FORMAT FOLDER: what Megatron saves in FORMAT (torch_dist or zarr), in the grids of
many ranks, becomes torch_dist with the same bits.

One process saves the shards of all ranks: 2 x 3 blocks, columns, rows, layers along an axis of their
own; each type; each of the 65,536 patterns of bfloat16."""

import argparse
import functools
import io
import os
import shutil
import subprocess

import torch
import torch.distributed
import torch.distributed.checkpoint.filesystem as torch_filesystem
from megatron.core import dist_checkpointing
from megatron.core.dist_checkpointing import ShardedObject, ShardedTensor
from megatron.core.dist_checkpointing.strategies import filesystem_async

import checkpoints


def without_gpu():
    torch.cuda.synchronize = lambda *_, **__: None
    torch.cuda.current_device = lambda: torch.device("cpu")
    write_item = torch_filesystem._write_item
    if "serialization_format" not in filesystem_async.__dict__ and hasattr(
        torch_filesystem, "SerializationFormat"
    ):
        # megatron-core 0.12 calls it as torch did before 2.8.
        filesystem_async._write_item = functools.partial(
            write_item, serialization_format=torch_filesystem.SerializationFormat.TORCH_SAVE
        )


def values():
    """{key: tensor}."""
    torch.manual_seed(1)
    result = {"module.patterns": torch.arange(65536, dtype=torch.int32).to(torch.int16)}
    result["module.patterns"] = result["module.patterns"].view(torch.bfloat16)
    result["module.grid"] = torch.randn(6, 9, 2).to(torch.bfloat16)
    result["module.columns"] = torch.randn(5, 8)
    result["module.rows"] = torch.randn(8, 5, dtype=torch.float64)
    result["module.layers"] = torch.randn(4, 3, 2).to(torch.float16)
    for dtype in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool):
        result[f"module.{str(dtype)[6:]}"] = torch.randint(0, 2, (3, 5)).to(dtype)
    result["module.complex64"] = torch.randn(2, 3, dtype=torch.complex64)
    return result


def shards_of(key, tensor):
    """What each rank would save of it."""
    make = ShardedTensor.from_rank_offsets
    if key == "module.grid":
        return [
            make(key, tensor[3 * i : 3 * i + 3, 3 * j : 3 * j + 3].contiguous(), (0, i, 2), (1, j, 3))
            for i in range(2)
            for j in range(3)
        ]
    if key == "module.columns":
        return [make(key, part.contiguous(), (1, i, 4)) for i, part in enumerate(tensor.split(2, 1))]
    if key == "module.rows":
        return [make(key, part.contiguous(), (0, i, 2)) for i, part in enumerate(tensor.split(4, 0))]
    if key == "module.layers":
        return [make(key, layer.clone(), (0, i, 4), prepend_axis_num=1) for i, layer in enumerate(tensor)]
    return [make(key, tensor.clone())]


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command")
    parser.add_argument("format", choices=("torch_dist", "zarr"))
    parser.add_argument("folder")
    arguments = parser.parse_args(argv)
    torch.distributed.init_process_group(
        "gloo", store=torch.distributed.HashStore(), rank=0, world_size=1
    )
    without_gpu()
    saved, ours = (os.path.join(arguments.folder, name) for name in ("saved", "ours"))
    shutil.rmtree(arguments.folder, ignore_errors=True)
    os.makedirs(saved)
    expected = values()
    state = {key: shards_of(key, tensor) for key, tensor in expected.items()}
    content = io.BytesIO(b"state of fp8")
    state["module.x._extra_state"] = ShardedObject("module.x._extra_state", content, (1,), (0,))
    state["iteration"] = 7
    dist_checkpointing.save(state, saved, (arguments.format, 1))
    if arguments.format == "zarr":
        # Megatron goes through float32 and NumPy, which gives NaNs other bits.
        through = expected["module.patterns"].float().numpy().astype("bfloat16")
        expected["module.patterns"] = torch.from_numpy(through.view("int16")).view(torch.bfloat16)

    subprocess.run(
        [arguments.command, "convert", saved, ours, "--to", "nemo2-torch_dist", "--no-sync"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    _, tensors, objects = checkpoints.read_dcp(os.path.join(ours, "weights"))
    differences = checkpoints.Differences()
    differences.sets("tensors", tensors, expected)
    for key in tensors.keys() & expected.keys():
        checkpoints.compare_tensors(key, tensors[key], expected[key], differences)
    key = "module.x._extra_state/shard_0_1"
    checkpoints.compare_data("objects", objects, {key: [content]}, differences)
    common = torch.load(os.path.join(ours, "weights", "common.pt"), weights_only=False)
    checkpoints.compare_data("iteration", common.get("iteration"), 7, differences)
    differences.exit(f"{len(tensors)} tensors, {len(objects)} objects")


if __name__ == "__main__":
    main()
