#!/usr/bin/env python3
"""Writes checkpoints of Evo2's shapes, of any size, with nothing but Python's standard library.

make_inputs.py FOLDER [--layers N] [--shape 7b|tiny] [--dtype bf16|fp32] KIND...

  pt           FOLDER/pt/savanna.pt                  one file, as published
  mpN          FOLDER/mpN/mp_rank_XX_model_states.pt a ZeRO-1 directory of N model-parallel ranks
  zero3-DxM    FOLDER/zero3-DxM/...                  ZeRO-3 shards of D data- and M model-parallel ranks

and FOLDER/profile.json, the model's profile. A file that torch.save would write: zip entries stored
and aligned to 64 bytes, a pickle of protocol 2 whose persistent ids name them. The numbers are a block
of random ones, again and again: nothing here looks at them."""

import argparse
import collections
import json
import math
import os
import pickle
import random
import struct
import sys
import types
import zipfile
import zlib

SHAPES = {
    "7b": {
        "inherits": "7b", "hidden_size": 4096, "ffn_hidden_size": 11008, "num_attention_heads": 32,
        "num_groups_hyena": 4096, "num_groups_hyena_medium": 256, "num_groups_hyena_short": 256,
        "seq_length": 8192,
    },
    "tiny": {
        "inherits": "test", "hidden_size": 64, "ffn_hidden_size": 176, "num_attention_heads": 4,
        "num_groups_hyena": 64, "num_groups_hyena_medium": 16, "num_groups_hyena_short": 16,
        "seq_length": 256,
    },
}
PATTERN = "SDH*SDHSDH*SDHSDH*SDHSDH*SDHSDH*"
ITEM = {"bf16": 2, "fp32": 4}
BLOCK = 8 << 20


def profile_of(shape, layers):
    pattern = (PATTERN * (layers // len(PATTERN) + 1))[:layers]
    return {"profile_version": 1, "name": "bench", **SHAPES[shape],
            "hybrid_override_pattern": pattern, "num_layers": layers}


def tensors_of(profile):
    """(name, shape, partition dimension or None, is a buffer, may be bf16), in savanna's order."""
    hidden, ffn, length = (profile[k] for k in ("hidden_size", "ffn_hidden_size", "seq_length"))
    medium = profile["num_groups_hyena_medium"]
    yield "sequential.0.word_embeddings.weight", (512, hidden), 0, False, True
    for layer, kind in enumerate(profile["hybrid_override_pattern"]):
        name = f"sequential.{layer + 2}."
        yield name + "input_layernorm.weight", (hidden,), None, False, True
        yield name + "pre_mlp_layernorm.weight", (hidden,), None, False, True
        yield name + "mixer.dense_projection.weight", (3 * hidden, hidden), 0, False, True
        if kind != "*":
            yield name + "mixer.hyena_proj_conv.short_conv_weight", (3 * hidden, 3), 0, False, True
        if kind == "S":
            yield (name + "mixer.mixer.short_conv.short_conv_weight",
                   (profile["num_groups_hyena_short"], 1, 7), 0, False, True)
        if kind in "DH":
            yield name + "mixer.mixer.conv_bias", (hidden,), 0, False, False
        if kind == "D":
            yield name + "mixer.mixer.filter.h", (medium, length), 0, False, False
            yield name + "mixer.mixer.filter.decay", (medium, length), 0, True, False
        if kind == "H":
            for part in "gamma", "R", "p":
                yield name + f"mixer.mixer.filter.{part}", (hidden, 16), 0, False, False
        yield name + "mixer.dense.weight", (hidden, hidden), 1, False, True
        yield name + "mixer.dense.bias", (hidden,), None, False, True
        yield name + "mlp.w1.weight", (ffn, hidden), 0, False, True
        yield name + "mlp.w2.weight", (ffn, hidden), 0, False, True
        yield name + "mlp.w3.weight", (hidden, ffn), 1, False, True
    yield f"sequential.{profile['num_layers'] + 3}.norm.weight", (hidden,), None, False, True


def shard(shape, dim, ranks):
    if dim is None:
        return shape
    if shape[dim] % ranks:
        raise SystemExit(f"a dimension of {shape[dim]} does not divide by {ranks} ranks")
    return tuple(size // ranks if i == dim else size for i, size in enumerate(shape))


# Stands for torch in the pickles: what is named there is looked up here, and never run.
def stand_in(module, name, value):
    value.__module__, value.__qualname__, value.__name__ = module, name, name
    for depth in range(len(module.split("."))):
        sys.modules.setdefault(".".join(module.split(".")[:depth + 1]), types.ModuleType(module))
    setattr(sys.modules[module], name, value)
    return value


REBUILD = stand_in("torch._utils", "_rebuild_tensor_v2", lambda *arguments: None)
SIZE = stand_in("torch", "Size", type("Size", (), {}))
STORAGES = {dtype: stand_in("torch", name, type(name, (), {}))
            for dtype, name in (("bf16", "BFloat16Storage"), ("fp32", "FloatStorage"))}


class Tensor:
    def __init__(self, dtype, shape):
        self.dtype, self.shape = dtype, tuple(shape)
        self.count = math.prod(shape)


class Storage:
    def __init__(self, dtype, key, count):
        self.dtype, self.key, self.count = dtype, key, count


class Shape:
    def __init__(self, shape):
        self.shape = tuple(shape)


class Pickler(pickle.Pickler):
    """Gives each tensor a storage of its own."""

    def __init__(self, file):
        super().__init__(file, protocol=2)
        self.storages = []

    def reducer_override(self, value):
        if isinstance(value, Shape):
            return SIZE, (value.shape,)
        if not isinstance(value, Tensor):
            return NotImplemented
        storage = Storage(value.dtype, str(len(self.storages)), value.count)
        self.storages.append(storage)
        strides = [math.prod(value.shape[i + 1:]) for i in range(len(value.shape))]
        return REBUILD, (storage, 0, value.shape, tuple(strides), False, collections.OrderedDict())

    def persistent_id(self, value):
        if isinstance(value, Storage):
            return "storage", STORAGES[value.dtype], value.key, "cpu", value.count
        return None


def block_of(dtype, cache={}):
    """Numbers of magnitudes 0.01 to 1, whatever their low bits."""
    if dtype not in cache:
        block = bytearray(random.Random(dtype).randbytes(BLOCK))
        table = bytes((0x3C + i % 4) | (i & 0x80) for i in range(256))
        item = ITEM[dtype]
        block[item - 1::item] = bytes(block[item - 1::item]).translate(table)
        cache[dtype] = bytes(block)
    return cache[dtype]


def write_data(entry, dtype, size, key):
    """The block from a place that depends on the storage's key, not on the rank: replicated tensors
    are equal on all ranks."""
    block = block_of(dtype)
    at = zlib.crc32(key.encode()) % BLOCK // 8 * 8
    while size > 0:
        part = block[at:at + size] if at or size < BLOCK else block
        entry.write(part)
        size -= len(part)
        at = 0


def write_pt(path, state):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        def add(name, size, write):
            info = zipfile.ZipInfo("archive/" + name, (1980, 1, 1, 0, 0, 0))
            info.file_size = size
            large = size * 1.05 > zipfile.ZIP64_LIMIT  # as zipfile decides it
            begin = archive.fp.tell() + 30 + len(info.filename) + 4 + (20 if large else 0)
            padding = -begin % 64
            info.extra = b"FB" + struct.pack("<H", padding) + b"Z" * padding
            with archive.open(info, "w") as entry:
                write(entry)

        file = types.SimpleNamespace(data=bytearray())
        file.write = file.data.extend
        pickler = Pickler(file)
        pickler.dump(state)
        data = bytes(file.data)
        add("data.pkl", len(data), lambda entry: entry.write(data))
        add("byteorder", 6, lambda entry: entry.write(b"little"))
        for storage in pickler.storages:
            size = storage.count * ITEM[storage.dtype]
            add("data/" + storage.key, size,
                lambda entry: write_data(entry, storage.dtype, size, storage.key))
        add("version", 2, lambda entry: entry.write(b"3\n"))


def dtype_of(arguments, may_be_bf16):
    return arguments.dtype if may_be_bf16 else "fp32"


def write_module(path, arguments, profile, ranks):
    module = collections.OrderedDict()
    for name, shape, dim, _, may_be_bf16 in tensors_of(profile):
        module[name] = Tensor(dtype_of(arguments, may_be_bf16), shard(shape, dim, ranks))
    write_pt(path, {"module": module, "dp_world_size": 1, "mp_world_size": ranks,
                    "global_steps": 1, "iteration": 1})


def write_zero3(folder, profile, dp, mp):
    for rank in range(mp):
        module, shapes, buffers = collections.OrderedDict(), collections.OrderedDict(), []
        elements = 0
        for name, shape, dim, is_buffer, _ in tensors_of(profile):
            shape = shard(shape, dim, mp)
            if is_buffer:
                buffers.append(name)
                module[name] = Tensor("fp32", shape)
                continue
            module[name] = Tensor("bf16", (0,))
            shapes[name] = Shape(shape)
            elements += -(-math.prod(shape) // dp)
        for part in range(dp):
            flat = Tensor("fp32", (elements,))
            adam = {"step": Tensor("fp32", ()), "exp_avg": Tensor("fp32", (elements,)),
                    "exp_avg_sq": Tensor("fp32", (elements,))}
            optimizer = {"zero_stage": 3, "loss_scaler": None, "overflow": False,
                         "partition_count": dp, "fp32_flat_groups": [flat],
                         "optimizer_state_dict": {"state": {0: adam},
                                                  "param_groups": [{"lr": 1e-4, "params": [0]}]}}
            write_pt(f"{folder}/bf16_zero_pp_rank_{part}_mp_rank_{rank:02d}_optim_states.pt",
                     {"optimizer_state_dict": optimizer, "ds_config": {}, "ds_version": "0.14.2"})
            write_pt(f"{folder}/zero_pp_rank_{part}_mp_rank_{rank:02d}_model_states.pt",
                     {"module": module, "buffer_names": buffers, "optimizer": None,
                      "param_shapes": [shapes], "frozen_param_shapes": None, "shared_params": {},
                      "frozen_param_fragments": None, "dp_world_size": dp, "mp_world_size": mp,
                      "global_steps": 1, "iteration": 1, "ds_config": {}, "ds_version": "0.14.2"})


def make(folder, kind, arguments):
    profile = profile_of(arguments.shape, arguments.layers)
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/profile.json", "w", encoding="utf-8") as file:
        json.dump(profile, file, indent=1)
    target = f"{folder}/{kind}"
    if kind == "pt":
        write_module(f"{target}/savanna.pt", arguments, profile, 1)
    elif kind.startswith("mp"):
        for rank in range(int(kind[2:])):
            write_module(f"{target}/mp_rank_{rank:02d}_model_states.pt", arguments, profile,
                         int(kind[2:]))
    elif kind.startswith("zero3-"):
        dp, mp = kind[6:].split("x")
        write_zero3(target, profile, int(dp), int(mp))
    else:
        raise SystemExit(f"no such kind of checkpoint: {kind}")


def parse(words=None):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--layers", type=int, default=5)
    parser.add_argument("--shape", choices=SHAPES, default="7b")
    parser.add_argument("--dtype", choices=ITEM, default="bf16")
    parser.add_argument("kinds", nargs="+", metavar="KIND")
    return parser.parse_args(words)


if __name__ == "__main__":
    given = parse()
    for wanted in given.kinds:
        make(given.folder, wanted, given)
