"""Makes the files of this folder, see README.md."""
import argparse
import collections
import datetime
import io
import pathlib
import pickle
import struct

import numpy
import torch


def tensors():
    base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    tied = torch.arange(4, dtype=torch.bfloat16)
    parameter = torch.nn.Parameter(torch.ones(2, 2))
    frozen = torch.nn.Parameter(torch.zeros(3), requires_grad=False)
    marked = torch.nn.Parameter(torch.zeros(1))
    marked.tensor_model_parallel = True
    return collections.OrderedDict(
        base=base,
        permuted=base.permute(2, 0, 1),
        strided=base[:, ::2, 1:3],
        expanded=torch.tensor([7], dtype=torch.int32).expand(5, 3),
        tied_a=tied,
        tied_b=tied,
        tied_view=tied[1:3],
        parameter=parameter,
        frozen=frozen,
        marked=marked,
        buffer=torch.nn.Buffer(torch.tensor([True, False])),
        empty=torch.empty(0, 5, dtype=torch.float16),
        scalar=torch.tensor(2.5, dtype=torch.float64),
        small=torch.tensor([1, 2], dtype=torch.int16),
        bytes=torch.tensor([1, 255], dtype=torch.uint8),
        int8=torch.tensor([-1], dtype=torch.int8),
        complex=torch.tensor([1 + 2j], dtype=torch.complex64),
        float8=torch.tensor([1.0, 2.0], dtype=torch.float8_e4m3fn),
        uint16=torch.tensor([65535], dtype=torch.uint16),
    )


def plain():
    """Equal values in every protocol, as data."""
    shared = ["shared"]
    loop = [1]
    loop.append(loop)
    knot = ([],)
    knot[0].append(knot)
    return {
        "none": None, "true": True, "false": False,
        "ints": [0, 255, 256, 65535, 65536, -1, 2**31 - 1, -2**31, 2**31, -2**63, 2**63 - 1, 2**63,
                 -2**63 - 1, 10**40, -10**40],
        "huge": 1 << 2100,
        "floats": [0.0, -0.0, 1.5, 1e300, float("inf"), float("-inf")],
        "text": ["", "a\nb", "\\", "'\"", "\xe9", "\u20ac", "\U0001f600", "\ud800", "x" * 300],
        "bytes": [b"", b"\x00\x80\xff\n", b"y" * 300],
        "bytearray": bytearray(b"\x01\xfe"),
        "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        "set": {5}, "frozenset": frozenset([6]),
        3: "int key", (1, 2): "tuple key", None: "none key", True: "bool key", 2.5: "float key",
        "shared": [shared, shared],
        "loop": loop, "knot": knot,
        "many": list(range(2001)),
        "wide": {i: None for i in range(1001)},
        "class": collections.OrderedDict, "function": len,
        "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
        "default": collections.defaultdict(list, {"k": [1]}),
        "counter": collections.Counter("aab"),
        "namespace": argparse.Namespace(lr=0.1, name="x"),
        "complex": 1 - 2j, "slice": slice(1, None, 2), "range": range(3),
        "date": datetime.date(2024, 2, 29),
        "path": pathlib.PurePosixPath("/a/b"),
    }


def objects():
    metadata = collections.OrderedDict(weight=torch.ones(1))
    metadata._metadata = collections.OrderedDict([("", {"version": 1})])
    return {
        "state": metadata,
        "bytes_io": io.BytesIO(b"\x80\x02extra"),
        "empty_io": io.BytesIO(),
        "array": numpy.arange(3, dtype=numpy.int64),
        "number": numpy.float32(1.5),
        "size": torch.Size([2, 3]),
        "dtype": torch.bfloat16,
        "device": torch.device("cpu"),
        "layout": torch.strided,
        "set": {1, 2},
        "nested": {"tensors": [torch.zeros(2), torch.zeros(2)]},
    }


class OldTensor:
    """Pickled as torch before 0.4 pickled a tensor."""

    def __init__(self, tensor):
        self.tensor = tensor

    def __reduce__(self):
        tensor = self.tensor
        return torch._utils._rebuild_tensor, (
            tensor.storage(), tensor.storage_offset(), tuple(tensor.size()), tensor.stride())


def legacy():
    state = tensors()
    del state["float8"], state["uint16"]  # torch.load cannot read them from such a file
    state["old"] = OldTensor(torch.arange(6.0).reshape(2, 3).t())
    state["module"] = torch.nn.Identity()
    state["bytes_io"] = io.BytesIO(b"extra")
    return state


class Storage:
    """Stands for a persistent id."""

    def __init__(self, *parts):
        self.parts = ("storage",) + parts


def legacy_views():
    """As torch 0.1 to 0.3 wrote storages that are parts of others; loads in torch 2.13."""
    def tensor(offset, size, *storage):
        return Tensor(Storage(torch.FloatStorage, *storage), offset, (size,), (1,))

    class Tensor:
        def __init__(self, *args):
            self.args = args

        def __reduce__(self):
            return torch._utils._rebuild_tensor, self.args

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return value.parts if isinstance(value, Storage) else None

    out = io.BytesIO()
    for value in (torch.serialization.MAGIC_NUMBER, 1001,
                  {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}):
        pickle.dump(value, out, protocol=2)
    Pickler(out, protocol=2).dump(collections.OrderedDict(
        whole=tensor(0, 8, "100", "cpu", 8, None),
        view=tensor(1, 2, "100", "cpu", 8, ("101", 3, 4)),
        view_again=tensor(0, 4, "100", "cpu", 8, ("101", 3, 4)),
        only_a_view=tensor(0, 2, "200", "cpu", 4, ("201", 2, 2)),
    ))
    pickle.dump(["100", "200"], out, protocol=2)
    for first, count in ((0, 8), (100, 4)):
        out.write(struct.pack("<q", count))
        out.write(numpy.arange(first, first + count, dtype="<f4").tobytes())
    loaded = torch.load(io.BytesIO(out.getvalue()))
    assert loaded["view"].tolist() == [4, 5] and loaded["view_again"].tolist() == [3, 4, 5, 6]
    assert loaded["only_a_view"].tolist() == [102, 103]
    return out.getvalue()


def text_of(value, numbers, out):
    """The form that canonical() in tests/unit/torch_file/values_text.h returns."""
    if value is None or isinstance(value, bool):
        out.append(str(value))
    elif isinstance(value, int):
        if -2**63 <= value < 2**63:
            out.append(str(value))
        else:
            size = (value if value >= 0 else ~value).bit_length() // 8 + 1
            out.append("I" + value.to_bytes(size, "little", signed=True).hex())
    elif isinstance(value, float):
        out.append("f" + struct.pack(">d", value).hex())
    elif isinstance(value, str):
        out.append("s" + value.encode("utf-8", "surrogatepass").hex())
    elif isinstance(value, bytes):
        out.append("b" + value.hex())
    elif value == ():
        out.append("()")
    else:
        known = id(value) in numbers
        number = numbers.setdefault(id(value), len(numbers))
        out.append(f"#{number}")
        if known:
            return
        opening, closing = {list: "[]", tuple: "()", dict: "{}", set: "<>", frozenset: "<>"}[type(value)]
        out.append(opening)
        for element in value.items() if isinstance(value, dict) else value:
            for part in element if isinstance(value, dict) else (element,):
                text_of(part, numbers, out)
                out.append(",")
        out.append(closing)


def write_texts(values):
    """One line for each item whose value is no object: key, value."""
    with open("plain.txt", "w") as out:
        for key, value in values.items():
            parts = []
            try:
                text_of(key, {}, parts)
                parts.append("\t")
                text_of(value, {}, parts)
            except KeyError:
                continue  # an object
            out.write("".join(parts) + "\n")


if __name__ == "__main__":
    torch.save(tensors(), "tensors.pt")
    torch.save(objects(), "objects.pt")
    torch.save(legacy(), "legacy.pt", _use_new_zipfile_serialization=False)
    assert len(torch.load("legacy.pt", weights_only=False)) == 20
    torch.save(torch.arange(4.0), "legacy.4.pt", pickle_protocol=4,
               _use_new_zipfile_serialization=False)
    torch.save(OldTensor(torch.arange(6.0)[2:]), "old_tensor.pt")
    with open("legacy_views.pt", "wb") as out:
        out.write(legacy_views())
    write_texts(plain())
    for protocol in range(6):
        with open(f"plain.{protocol}.pkl", "wb") as out:
            pickle.dump(plain(), out, protocol=protocol)
    # Runs a command in whoever loads it.
    with open("hostile.pkl", "wb") as out:
        out.write(b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.")
