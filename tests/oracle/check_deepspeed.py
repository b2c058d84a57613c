"""check_deepspeed.py COMMAND FOLDER: a model that DeepSpeed trains here, saved with ZeRO stage 3 by two
processes, becomes a ZeRO-1 checkpoint whose parameters are those that DeepSpeed gathers, bit for bit."""

import argparse
import os
import shutil
import socket
import subprocess
import sys

os.environ.setdefault("DS_ACCELERATOR", "cpu")

import torch

import checkpoints

RANKS = 2


class Block(torch.nn.Module):
    """Shapes that two ranks share evenly, and some that they do not."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(7, 11) * 0.02)
        self.bias = torch.nn.Parameter(torch.randn(1) * 0.02)
        self.dense = torch.nn.Linear(8, 6)
        self.register_buffer("scale", torch.rand(4))

    def forward(self, x):
        for parameter in (self.weight, self.bias):
            x = x + (parameter.float() ** 2).sum()
        return x + self.dense(torch.ones(8, dtype=self.dense.weight.dtype)).float().sum()


def train_and_save(rank, folder, port):
    os.environ.update(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(RANKS), LOCAL_SIZE=str(RANKS),
        MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port),
    )
    torch.set_num_threads(1)
    torch.manual_seed(1)
    import deepspeed
    from deepspeed.utils import safe_get_full_fp32_param

    # Compiling this takes a minute; processes of one machine would talk by it, instead of gloo.
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed(dist_backend="gloo")
    model = torch.nn.Sequential(Block(), Block())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    config = {
        "train_micro_batch_size_per_gpu": 1,
        "bf16": {"enabled": True},
        "zero_optimization": {"stage": 3, "stage3_param_persistence_threshold": 0},
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,
    }
    engine, _, _, _ = deepspeed.initialize(
        model=model, optimizer=optimizer, config=config, dist_init_required=False
    )
    for _ in range(2):
        engine.backward(engine(torch.ones(1)))
        engine.step()
    engine.save_checkpoint(folder, tag="global_step2", client_state={"iteration": 2})
    parameters = {
        name: safe_get_full_fp32_param(parameter).detach().clone().cpu()
        for name, parameter in engine.module.named_parameters()
    }
    if rank == 0:
        torch.save(parameters, os.path.join(folder, "gathered.pt"))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command")
    parser.add_argument("folder")
    arguments = parser.parse_args(argv)
    folder = arguments.folder
    shutil.rmtree(folder, ignore_errors=True)
    saved, output = os.path.join(folder, "saved"), os.path.join(folder, "zero1")
    os.makedirs(saved)
    torch.multiprocessing.spawn(train_and_save, args=(saved, free_port()), nprocs=RANKS)
    result = subprocess.run(
        [arguments.command, "convert_zero3_to_zero1", os.path.join(saved, "global_step2"), output,
         "--mp_size", "1"],
        check=False,
    )
    if result.returncode != 0:
        sys.exit(f"ckptbridge ended with {result.returncode}")

    differences = checkpoints.Differences()
    expected = torch.load(os.path.join(saved, "gathered.pt"), weights_only=True)
    ours = torch.load(
        os.path.join(output, "mp_rank_00_model_states.pt"), weights_only=False
    )["module"]
    differences.sets("parameters", {name for name in ours if not name.endswith(".scale")}, expected)
    for name in expected.keys() & ours.keys():
        checkpoints.compare_tensors(name, ours[name], expected[name], differences)
    differences.exit(f"{len(expected)} parameters")


if __name__ == "__main__":
    main()
