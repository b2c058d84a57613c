"""Makes the inputs that the command must refuse or explain."""

import pathlib
import zipfile

import torch

here = pathlib.Path(__file__).parent

torch.save(
    {
        "embedding_layer.weight": torch.zeros(4, 2, dtype=torch.bfloat16),
        "blocks.0.pre_norm.scale": torch.zeros(2, dtype=torch.bfloat16),
        "blocks.0.filter.h": torch.zeros(2, 1, 7, dtype=torch.bfloat16),
    },
    here / "vortex.pt",
)

torch.save({"conv1.weight": torch.zeros(2, 3), "fc.bias": torch.zeros(2)}, here / "other_model.pt")

# A state dict whose pickle calls os.system("touch pwned") when Python loads it.
pickle = b"\x80\x02}X\x06\x00\x00\x00modulecos\nsystem\nX\x0b\x00\x00\x00touch pwned\x85Rs."
with zipfile.ZipFile(here / "os_system.pt", "w", zipfile.ZIP_STORED) as file:
    file.writestr("archive/data.pkl", pickle)
    file.writestr("archive/version", b"3\n")
