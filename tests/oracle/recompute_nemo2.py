"""recompute_nemo2.py SAVANNA.pt PATTERN OURS: computes with plain PyTorch what a savanna file must become
under NeMo2, names, order of rows and types, and compares the weights of a NeMo2 folder with it."""

import argparse
import os

import torch

import checkpoints

ANY = {
    "pre_mlp_layernorm.weight": "mlp.linear_fc1.layer_norm_weight",
    "mlp.w3.weight": "mlp.linear_fc2.weight",
}
ATTENTION = {
    "input_layernorm.weight": "self_attention.linear_qkv.layer_norm_weight",
    "mixer.dense_projection.weight": "self_attention.linear_qkv.weight",
    "mixer.dense.weight": "self_attention.linear_proj.weight",
    "mixer.dense.bias": "self_attention.linear_proj.bias",
}
HYENA = {
    "input_layernorm.weight": "mixer.dense_projection.layer_norm_weight",
    "mixer.dense_projection.weight": "mixer.dense_projection.weight",
    "mixer.hyena_proj_conv.short_conv_weight": "mixer.hyena_proj_conv.short_conv_weight",
    "mixer.dense.weight": "mixer.dense.weight",
    "mixer.dense.bias": "mixer.dense.bias",
}
# These keep their names.
OF_KIND = {
    "S": ["mixer.mixer.short_conv.short_conv_weight"],
    "D": ["mixer.mixer.conv_bias", "mixer.mixer.filter.h", "mixer.mixer.filter.decay"],
    "H": ["mixer.mixer.conv_bias", "mixer.mixer.filter.gamma", "mixer.mixer.filter.R",
          "mixer.mixer.filter.p"],
    "*": [],
}
# What Transformer Engine's modules save of themselves.
STATEFUL = {
    "*": ["self_attention.linear_proj", "self_attention.linear_qkv"],
    "SDH": ["mixer.dense", "mixer.dense_projection"],
}


def to_bfloat16(tensor):
    """NaNs become one pattern; PyTorch's own depends on the processor."""
    if tensor.dtype == torch.bfloat16:
        return tensor
    nan = torch.tensor(0x7FC0, dtype=torch.int16).view(torch.bfloat16)
    return torch.where(tensor.isnan(), nan, tensor.to(torch.bfloat16))


def recompute(source, pattern):
    """{key: tensor} and {key: object} of the NeMo2 checkpoint."""
    tensors, objects = {}, {}
    tensors["module.embedding.word_embeddings.weight"] = source["sequential.0.word_embeddings.weight"]
    for layer, kind in enumerate(pattern):
        old, new = f"sequential.{layer + 2}.", f"module.decoder.layers.{layer}."
        names = {**ANY, **(ATTENTION if kind == "*" else HYENA), **{n: n for n in OF_KIND[kind]}}
        for before, after in names.items():
            tensors[new + after] = source[old + before]
        tensors[new + "mlp.linear_fc1.weight"] = torch.cat(
            [source[old + "mlp.w1.weight"], source[old + "mlp.w2.weight"]]
        )
        for key in ("mixer.mixer.filter.h", "mixer.mixer.filter.decay"):
            if new + key in tensors:
                tensors[new + key] = tensors[new + key][:, :128]
        stateful = STATEFUL["*" if kind == "*" else "SDH"] + ["mlp.linear_fc1", "mlp.linear_fc2"]
        for name in stateful:
            objects[f"{new}{name}._extra_state/shard_0_1"] = [torch.zeros(0, dtype=torch.uint8)]
    tensors["module.decoder.final_norm.weight"] = source[f"sequential.{len(pattern) + 3}.norm.weight"]
    objects["module.decoder.final_norm._extra_state/shard_0_1"] = [torch.zeros(0, dtype=torch.uint8)]
    objects["module.output_layer._extra_state/shard_0_1"] = [None]
    return {key: to_bfloat16(tensor) for key, tensor in tensors.items()}, objects


def compare(savanna, pattern, ours, differences, reader=checkpoints.dcp.FileSystemReader):
    """Adds to differences; returns the number of tensors and of objects."""
    source = torch.load(savanna, weights_only=True)
    source = source.get("model", source)["module"]
    expected_tensors, expected_objects = recompute(source, pattern)
    _, tensors, objects = checkpoints.read_dcp(os.path.join(ours, "weights"), reader)
    checkpoints.compare_data("tensors", tensors, expected_tensors, differences)
    checkpoints.compare_data("objects", objects, expected_objects, differences)
    return len(expected_tensors), len(expected_objects)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("savanna")
    parser.add_argument("pattern", help="of layers, such as SDH*SDH")
    parser.add_argument("ours")
    parser.add_argument("--written-by-megatron", action="store_true",
                        help="the folder is a real one, whose .metadata names Megatron's classes")
    arguments = parser.parse_args(argv)
    differences = checkpoints.Differences()
    reader = checkpoints.dcp.FileSystemReader
    if arguments.written_by_megatron:
        reader = checkpoints.MegatronFreeReader
    tensors, objects = compare(
        arguments.savanna, arguments.pattern, arguments.ours, differences, reader
    )
    differences.exit(f"{tensors} tensors, {objects} objects")


if __name__ == "__main__":
    main()
