"""self_test_megatron.py GOLDEN: load_megatron.py accepts what the real importer wrote, and finds what is
wrong."""

import os
import pickle
import shutil
import sys
import tempfile
import unittest
from unittest import mock

import checkpoints
import running

GOLDEN = ""


class LoadMegatron(unittest.TestCase):
    def setUp(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.weights = os.path.join(folder, "weights")
        shutil.copytree(os.path.join(GOLDEN, "out_torch_dist", "weights"), self.weights)

    def expect(self, status, text):
        found, output = running.run("load_megatron", self.weights)
        self.assertEqual(found, status, output)
        self.assertIn(text, output)

    def test_accepts_what_the_importer_wrote(self):
        self.expect(0, "equal: 73 tensors, 30 objects, 9 common entries")

    def test_finds_that_megatron_read_other_bits(self):
        key = "module.decoder.final_norm.weight"
        metadata, tensors, objects = checkpoints.read_dcp(
            self.weights, checkpoints.MegatronFreeReader
        )
        checkpoints.bits(tensors[key])[3] ^= 1
        with mock.patch("checkpoints.read_dcp", return_value=(metadata, tensors, objects)):
            self.expect(1, f"differs: {key}: 1 of 64 elements")

    def test_needs_common_pt(self):
        os.remove(os.path.join(self.weights, "common.pt"))
        self.expect(1, "common.pt")

    def test_needs_metadata_json(self):
        os.remove(os.path.join(self.weights, "metadata.json"))
        self.expect(1, "is not a distributed checkpoint")

    def test_finds_a_stored_shape_that_the_metadata_denies(self):
        path = os.path.join(self.weights, ".metadata")
        with open(path, "rb") as file:
            metadata = pickle.load(file)
        key = "module.decoder.final_norm.weight"
        metadata.state_dict_metadata[key].chunks.clear()
        with open(path, "wb") as file:
            pickle.dump(metadata, file)
        self.expect(1, key)


if __name__ == "__main__":
    GOLDEN = os.path.abspath(sys.argv.pop())
    unittest.main()
