"""make_savanna.py SEED FOLDER: a random small Evo2 model as savanna saves it, FOLDER/savanna.pt, and its
profile, FOLDER/profile.json. Sizes, layer pattern, element types, wrapping and what savanna leaves in
its files all come from the seed."""

import argparse
import collections
import json
import os
import random

import torch

# Numbers on which conversions go wrong: zeros of both signs, subnormals, ties between neighbours in
# bfloat16, numbers that round to infinity, infinities, NaNs.
DIFFICULT = [
    0x00000000, 0x80000000, 0x00000001, 0x80008000, 0x00008001, 0x007FFFFF, 0x3F808000, 0x3F818000,
    0xBF808001, 0x7F7F8000, 0xFF7FFFFF, 0x7F800000, 0xFF800000, 0x7F7F7FFF, 0x7F800001, 0xFFC12345,
]


def random_profile(seed, rng):
    heads = rng.choice([1, 2, 3, 4])
    hidden = heads * rng.choice([8, 16, 32])
    divisors = [d for d in range(1, hidden + 1) if hidden % d == 0 and d >= 2]
    # Each kind of layer at least once, in any order.
    pattern = list("SDH*") + rng.choices("SDH*", k=rng.randint(0, 5))
    rng.shuffle(pattern)
    return {
        "profile_version": 1,
        "name": f"unseen-{seed}",
        "inherits": "test",
        "hybrid_override_pattern": "".join(pattern),
        "num_layers": len(pattern),
        "hidden_size": hidden,
        "ffn_hidden_size": rng.randint(3, 9) * 16,
        "num_attention_heads": heads,
        "num_groups_hyena": hidden,
        "num_groups_hyena_medium": rng.choice(divisors),
        "num_groups_hyena_short": rng.choice(divisors),
        "seq_length": rng.choice([128, 160, 300, 1024]),
    }


def savanna_tensors(profile, extras):
    """(key, shape) in savanna's order; the shape is None for an _extra_state."""
    hidden, ffn = profile["hidden_size"], profile["ffn_hidden_size"]
    length = profile["seq_length"]
    yield "sequential.0.word_embeddings.weight", (512, hidden)
    for layer, kind in enumerate(profile["hybrid_override_pattern"]):
        mixer = {
            "S": [("mixer.short_conv.short_conv_weight", (profile["num_groups_hyena_short"], 1, 7))],
            "D": [("mixer.conv_bias", (hidden,)),
                  ("mixer.filter.h", (profile["num_groups_hyena_medium"], length)),
                  ("mixer.filter.decay", (profile["num_groups_hyena_medium"], length))],
            "H": [("mixer.conv_bias", (hidden,)), ("mixer.filter.gamma", (hidden, 16)),
                  ("mixer.filter.R", (hidden, 16)), ("mixer.filter.p", (hidden, 16))],
            "*": [],
        }[kind]
        if kind != "*":
            mixer.insert(0, ("hyena_proj_conv.short_conv_weight", (3 * hidden, 3)))
        if extras and kind == "H":
            mixer.append(("mixer.filter.t", (1, 1, length)))
        if extras and kind == "*":
            mixer.append(("rotary_emb.inv_freq", (hidden // profile["num_attention_heads"] // 2,)))
        module = f"sequential.{layer + 2}."
        yield module + "input_layernorm.weight", (hidden,)
        yield module + "pre_mlp_layernorm.weight", (hidden,)
        yield module + "mixer.dense_projection.weight", (3 * hidden, hidden)
        if extras:
            yield module + "mixer.dense_projection._extra_state", None
        for key, shape in mixer:
            yield module + "mixer." + key, shape
        yield module + "mixer.dense.weight", (hidden, hidden)
        yield module + "mixer.dense.bias", (hidden,)
        yield module + "mlp.w1.weight", (ffn, hidden)
        yield module + "mlp.w2.weight", (ffn, hidden)
        yield module + "mlp.w3.weight", (hidden, ffn)
    yield f"sequential.{profile['num_layers'] + 3}.norm.weight", (hidden,)


def random_tensor(shape, dtype, generator):
    tensor = torch.randn(shape, generator=generator)
    flat = tensor.reshape(-1)
    difficult = torch.tensor(
        [n - (1 << 32) if n >> 31 else n for n in DIFFICULT], dtype=torch.int32
    ).view(torch.float32)
    count = min(flat.numel() // 2, len(difficult))
    where = torch.randperm(flat.numel(), generator=generator)[:count]
    flat[where] = difficult[torch.randperm(len(difficult), generator=generator)[:count]]
    return tensor.to(dtype)


def make(seed, folder):
    rng = random.Random(seed)
    generator = torch.Generator().manual_seed(seed)
    profile = random_profile(seed, rng)
    # Published checkpoints are float32 throughout; the first seeds are the same for every list.
    weights, filters = rng.choice([(torch.float32, torch.float32)] * 3 + [
        (torch.bfloat16, torch.float32), (torch.bfloat16, torch.bfloat16)])
    extras = rng.random() < 0.5
    module = collections.OrderedDict()
    for key, shape in savanna_tensors(profile, extras):
        if shape is None:
            module[key] = torch.zeros(0, dtype=torch.uint8)
            continue
        is_filter = ".filter." in key or key.endswith(("conv_bias", "inv_freq"))
        module[key] = random_tensor(shape, filters if is_filter else weights, generator)
    checkpoint = {"module": module}
    if rng.random() < 0.7:
        checkpoint.update({"optimizer": None, "lr_scheduler": None, "global_steps": rng.randint(1, 9),
                           "dp_world_size": 1, "mp_world_size": 1, "ds_config": {"a": [1, 2.5, None]},
                           "param_shapes": None, "buffer_names": [], "ds_version": "0.14.2"})
    if rng.random() < 0.3:
        checkpoint = {"model": checkpoint}
    os.makedirs(folder, exist_ok=True)
    torch.save(checkpoint, os.path.join(folder, "savanna.pt"))
    with open(os.path.join(folder, "profile.json"), "w", encoding="utf-8") as file:
        json.dump(profile, file, indent=1)
    return profile


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("folder")
    arguments = parser.parse_args()
    print(json.dumps(make(arguments.seed, arguments.folder)))
