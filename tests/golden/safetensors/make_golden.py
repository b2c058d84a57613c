"""make_golden.py FOLDER: files of the safetensors package (0.8.0, with PyTorch 2.13.0)."""

import json
import os
import sys

import torch
from safetensors.torch import save_file

out = sys.argv[1]
bits = torch.arange(24, dtype=torch.uint8)
dtypes = [
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.uint16, torch.float16, torch.bfloat16, torch.int32,
    torch.uint32, torch.float32, torch.float64, torch.int64, torch.uint64, torch.complex64,
    torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e8m0fnu, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz,
]
tensors = {"z.scalar": torch.tensor(1.5), "empty": torch.zeros(0, 3), 'a "b"\\ \u00e9': torch.ones(2, 1, 2)}
for dtype in dtypes:
    name = str(dtype).removeprefix("torch.")
    content = bits[:8] % 2 if dtype == torch.bool else bits
    tensors[f"of.{name}"] = content.view(dtype).clone()
save_file(tensors, os.path.join(out, "dtypes.safetensors"), {"format": "pt"})

# Shards and index as huggingface_hub lays them out; one tensor that the index does not name.
shards = {
    "model-00001-of-00002.safetensors": {
        "sequential.0.word_embeddings.weight": torch.arange(6.0).reshape(2, 3),
        "sequential.2.norm.weight": torch.tensor([7.0], dtype=torch.bfloat16),
    },
    "model-00002-of-00002.safetensors": {
        "sequential.3.norm.weight": torch.tensor([8.0, 9.0]),
        "left.over": torch.tensor([1, 2, 3], dtype=torch.uint8),
    },
}
os.makedirs(os.path.join(out, "sharded"), exist_ok=True)
for name, content in shards.items():
    save_file(content, os.path.join(out, "sharded", name), {"format": "pt", "trained_by": "us"})
weight_map = {tensor: name for name, content in shards.items() for tensor in content if tensor != "left.over"}
total = sum(t.numel() * t.element_size() for content in shards.values() for t in content.values())
with open(os.path.join(out, "sharded", "model.safetensors.index.json"), "w", encoding="utf-8") as file:
    file.write(json.dumps({"metadata": {"total_size": total}, "weight_map": weight_map}, indent=2, sort_keys=True) + "\n")
