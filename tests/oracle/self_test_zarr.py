"""self_test_zarr.py GOLDEN: load_zarr.py accepts what the real importer wrote, and finds what is wrong."""

import os
import shutil
import sys
import tempfile
import unittest

import running

GOLDEN = ""
KEY = "module.decoder.final_norm.weight"


class LoadZarr(unittest.TestCase):
    def setUp(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.weights = os.path.join(folder, "weights")
        shutil.copytree(os.path.join(GOLDEN, "out_zarr", "weights"), self.weights)

    def expect(self, status, *texts):
        expected = os.path.join(GOLDEN, "out_torch_dist", "weights")
        found, output = running.run("load_zarr", self.weights, expected)
        self.assertEqual(found, status, output)
        for text in texts:
            self.assertIn(text, output)

    def test_accepts_what_the_importer_wrote(self):
        self.expect(0, "equal: 73 tensors, 30 objects, 9 common entries, by two loaders")

    def test_finds_a_flipped_bit_by_each_loader(self):
        path = os.path.join(self.weights, KEY, "0")
        with open(path, "r+b") as file:
            byte = file.read(1)[0]
            file.seek(0)
            file.write(bytes([byte ^ 1]))
        self.expect(
            1,
            f"differs: tensorstore: {KEY}: 1 of 64 elements",
            f"differs: zarr: {KEY}: 1 of 64 elements",
        )

    def test_finds_a_missing_tensor(self):
        shutil.rmtree(os.path.join(self.weights, KEY))
        self.expect(1, f"differs: zarr: tensors: missing: {KEY}")

    def test_finds_a_missing_object(self):
        shutil.rmtree(os.path.join(self.weights, "module.output_layer._extra_state"))
        self.expect(1, "objects: missing: module.output_layer._extra_state/shard_0_1")


if __name__ == "__main__":
    GOLDEN = os.path.abspath(sys.argv.pop())
    unittest.main()
