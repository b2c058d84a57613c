"""self_test.py GOLDEN: the oracles that need PyTorch alone accept what is right and find what is wrong.

GOLDEN is a folder with input_tiny.pt and out_torch_dist, what the real importer made of it; "ours" is
here a copy of that with a .metadata that plain PyTorch reads. Beside it lies zero1, what the Python script
made of rank files."""

import json
import os
import pickle
import shutil
import sys
import tempfile
import unittest

import torch
import yaml
from torch.distributed.checkpoint.metadata import Metadata

import checkpoints
import running

GOLDEN = ""
KEY = "module.decoder.layers.1.mixer.mixer.filter.decay"
OBJECT = "module.decoder.layers.1.mixer.dense._extra_state/shard_0_1"


class Copy:
    """A folder of ours that tests can damage."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "ours")
        self.weights = os.path.join(self.path, "weights")
        shutil.copytree(os.path.join(GOLDEN, "out_torch_dist"), self.path)
        real = checkpoints.MegatronFreeReader(self.weights).read_metadata()
        self.metadata = Metadata(
            state_dict_metadata=real.state_dict_metadata, storage_data=real.storage_data
        )
        self.write_metadata()

    def write_metadata(self):
        with open(os.path.join(self.weights, ".metadata"), "wb") as file:
            pickle.dump(self.metadata, file)

    def item(self, key):
        [info] = [i for index, i in self.metadata.storage_data.items() if index.fqn == key]
        return info

    def flip_bit(self, key):
        info = self.item(key)
        tensor = checkpoints.read_dcp(self.weights)[1][key]
        content = bytes(checkpoints.bits(tensor).tolist())
        with open(os.path.join(self.weights, info.relative_path), "r+b") as file:
            file.seek(info.offset)
            at = info.offset + file.read(info.length).index(content) + len(content) // 3
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 0x01]))

    def drop(self, key):
        del self.metadata.state_dict_metadata[key]
        for index in [i for i in self.metadata.storage_data if i.fqn == key]:
            del self.metadata.storage_data[index]
        self.write_metadata()

    def edit_json(self, name, edit):
        path = os.path.join(self.path, name)
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        edit(data)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(data, file)


class OracleTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def expect(self, status, text, script, *arguments):
        found, output = running.run(script, *arguments)
        self.assertEqual(found, status, output)
        self.assertIn(text, output)


class CompareNemo2(OracleTest):
    def setUp(self):
        super().setUp()
        self.ours = Copy(self.folder)

    def check(self, status, text):
        self.expect(
            status, text, "compare_nemo2", self.ours.path, os.path.join(GOLDEN, "out_torch_dist")
        )

    def test_accepts_the_same(self):
        self.check(0, "equal: 73 tensors, 30 objects")

    def test_finds_a_flipped_bit(self):
        self.ours.flip_bit(KEY)
        self.check(1, f"differs: {KEY}: 1 of 2048 elements")

    def test_finds_a_missing_tensor(self):
        self.ours.drop(KEY)
        self.check(1, f"differs: tensors: missing: {KEY}")

    def test_finds_a_missing_object(self):
        self.ours.drop(OBJECT)
        self.check(1, f"differs: objects: missing: {OBJECT}")

    def test_finds_another_object(self):
        # The object of the output layer is None, not an empty tensor.
        [index] = [i for i in self.ours.metadata.storage_data if i.fqn == OBJECT]
        other = self.ours.item("module.output_layer._extra_state/shard_0_1")
        self.ours.metadata.storage_data[index] = other
        self.ours.write_metadata()
        self.check(1, f"differs: {OBJECT}[0]: <class 'NoneType'>")

    def test_finds_a_hole_between_chunks(self):
        self.ours.metadata.state_dict_metadata["module.decoder.layers.0.mlp.linear_fc1.weight"].chunks.pop()
        self.ours.write_metadata()
        self.check(1, "linear_fc1.weight: not covered by chunks")

    def test_finds_another_type_in_the_metadata(self):
        # The loader would convert in silence.
        self.ours.metadata.state_dict_metadata[KEY].properties.dtype = torch.float32
        self.ours.write_metadata()
        self.check(1, f"{KEY} at torch.Size([0, 0]): torch.bfloat16")

    def test_finds_another_shape(self):
        entry = self.ours.metadata.state_dict_metadata[KEY]
        entry.size = torch.Size([17, 128])
        self.ours.write_metadata()
        self.check(1, "not covered by chunks")

    def test_finds_a_changed_property(self):
        self.ours.metadata.state_dict_metadata[KEY].properties.requires_grad = True
        self.ours.write_metadata()
        self.check(1, f"differs: {KEY}: TensorProperties(")

    def test_finds_a_changed_value_in_io_json(self):
        self.ours.edit_json("context/io.json", lambda data: data["root"].update(key="other"))
        self.check(1, "differs: context/io.json['root']['key']: 'other'")

    def test_finds_a_changed_value_in_model_yaml(self):
        path = os.path.join(self.ours.path, "context", "model.yaml")
        with open(path, encoding="utf-8") as file:
            data = yaml.safe_load(file)
        data["config"]["attention_dropout"] = 0  # not 0.0
        with open(path, "w", encoding="utf-8") as file:
            yaml.safe_dump(data, file)
        self.check(1, "differs: context/model.yaml['config']['attention_dropout']: <class 'int'>")

    def test_finds_a_changed_value_in_metadata_json(self):
        self.ours.edit_json("weights/metadata.json", lambda data: data.update(extra=1))
        self.check(1, "differs: weights/metadata.json: not expected: extra")

    def test_finds_a_changed_value_in_common_pt(self):
        path = os.path.join(self.ours.weights, "common.pt")
        data = torch.load(path, weights_only=True)
        data["content_metadata"]["singleton_local_shards"] = True
        torch.save(data, path)
        self.check(1, "['singleton_local_shards']: True, expected False")

    def test_finds_missing_and_foreign_files(self):
        os.rename(os.path.join(self.ours.weights, "common.pt"), os.path.join(self.ours.path, "stray"))
        self.check(1, "differs: files: not expected: stray")
        self.check(1, "differs: files: missing: weights/common.pt")

    def test_wants_a_metadata_without_megatron(self):
        real = os.path.join(GOLDEN, "out_torch_dist")
        self.expect(1, "No module named 'megatron'", "compare_nemo2", real, real)


class Recompute(OracleTest):
    def check(self, status, text, pattern="SDH*SDH", ours=None):
        self.expect(status, text, "recompute_nemo2", os.path.join(GOLDEN, "input_tiny.pt"), pattern,
                    ours or os.path.join(GOLDEN, "out_torch_dist"), "--written-by-megatron")

    def test_gives_what_the_real_importer_gave(self):
        self.check(0, "equal: 73 tensors, 30 objects")

    def test_finds_a_flipped_bit(self):
        ours = Copy(self.folder)
        ours.flip_bit(KEY)
        self.check(1, f"differs: tensors['{KEY}']: 1 of 2048", ours=ours.path)

    def test_finds_a_missing_object(self):
        ours = Copy(self.folder)
        ours.drop(OBJECT)
        self.check(1, f"differs: objects: missing: {OBJECT}", ours=ours.path)


class LoadTorch(OracleTest):
    def setUp(self):
        super().setUp()
        self.golden = os.path.join(GOLDEN, "input_tiny.pt")
        self.copy = os.path.join(self.folder, "copy.pt")

    def save(self, edit):
        data = torch.load(self.golden, weights_only=True)
        edit(data)
        torch.save(data, self.copy)

    def test_accepts_the_same(self):
        self.save(lambda data: None)
        self.expect(0, "equal: 111 tensors", "load_torch", self.copy, "--equal", self.golden)

    def test_finds_a_wrong_checksum(self):
        with open(self.golden, "rb") as file:
            content = bytearray(file.read())
        content[len(content) // 2] ^= 0x01
        with open(self.copy, "wb") as file:
            file.write(content)
        self.expect(1, "the checksum is wrong", "load_torch", self.copy)
        self.expect(1, "elements, first", "load_torch", self.copy, "--equal", self.golden)

    def test_finds_another_order_of_keys(self):
        self.save(lambda data: data["module"].move_to_end("sequential.0.word_embeddings.weight"))
        self.expect(1, "another order", "load_torch", self.copy, "--equal", self.golden)

    def test_finds_a_missing_key(self):
        self.save(lambda data: data["module"].popitem())
        self.expect(1, "missing: sequential.10.norm", "load_torch", self.copy, "--equal", self.golden)

    def test_finds_tensors_that_share_a_storage(self):
        one, apart = torch.ones(4), os.path.join(self.folder, "apart.pt")
        torch.save({"a": one, "b": one.clone()}, apart)
        torch.save({"a": one, "b": one}, self.copy)
        text = """layout["['b']"][2]: "['a']", expected"""
        self.expect(1, text, "load_torch", self.copy, "--equal", apart)

    def test_refuses_a_pickle_that_runs_code(self):
        class Attack:
            def __reduce__(self):
                return os.system, ("true",)

        torch.save({"a": Attack()}, self.copy)
        self.expect(1, "weights_only", "load_torch", self.copy)


class CompareZero1(OracleTest):
    def check(self, status, text, edit):
        """Of the script's own file, edited."""
        expected = os.path.join(os.path.dirname(GOLDEN), "zero1", "reshard_skew2to1")
        ours = os.path.join(self.folder, "ours")
        os.mkdir(ours)
        name = "mp_rank_00_model_states.pt"
        data = torch.load(os.path.join(expected, name), weights_only=False)
        data["output_dir"] = ours
        edit(data)
        torch.save(data, os.path.join(ours, name))
        self.expect(status, text, "compare_zero1", ours, expected)

    def test_accepts_the_same(self):
        self.check(0, "equal: 1 files, 47 tensors", lambda data: None)

    def test_finds_a_changed_value(self):
        key = "sequential.7.norm.weight"
        self.check(1, "1 of 64 elements", lambda data: data["module"][key][3:4].add_(1))

    def test_finds_another_order_of_keys(self):
        key = "sequential.7.norm.weight"
        self.check(1, "another order", lambda data: data["module"].move_to_end(key, last=False))

    def test_finds_a_view_of_a_larger_storage(self):
        def edit(data):
            key = "sequential.7.norm.weight"
            data["module"][key] = data["module"][key].repeat(2)[:64]

        self.check(1, "storage of 256 bytes, expected 128", edit)

    def test_finds_a_missing_shape(self):
        self.check(1, "missing: sequential.7", lambda data: data["param_shapes"].popitem())


if __name__ == "__main__":
    GOLDEN = os.path.abspath(sys.argv.pop())
    unittest.main()
