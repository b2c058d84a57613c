"""Makes the arrays and the safetensors file of this folder: python make_golden.py (numpy 2, safetensors 0.4 or later)."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

here = Path(__file__).parent
arrays = {
    "bias": np.arange(5, dtype=np.float32) / 4,
    "embedding": np.asfortranarray(np.arange(12, dtype=np.float16).reshape(3, 4)),
    "mask": np.array([True, False, True]),
    "steps": np.array(1234567890123, dtype=np.int64),
    "empty": np.zeros((0, 3), dtype=np.float64),
}
table = {"bias": "model.bias", "embedding": "model.embedding.weight", "steps": "steps_done"}

(here / "in").mkdir(exist_ok=True)
for name, array in arrays.items():
    np.save(here / "in" / f"{name}.npy", array)
(here / "table.txt").write_text("# OLD NEW\n" + "".join(f"{a} {b}\n" for a, b in table.items()))
save_file({table.get(n, n): np.array(a, order="C") for n, a in arrays.items()}, here / "renamed.safetensors")
