"""Makes files that would run something on torch.load(weights_only=False). Never load them.

Each is a zip as torch writes it around a pickle that is put together by hand, opcode by opcode,
so that no dangerous object is ever made. What each names is the second column of expected.txt.
"""
import struct
import zipfile


def text(s):
    b = s.encode()
    return b"X" + struct.pack("<I", len(b)) + b


def short(s):
    b = s.encode()
    return b"\x8c" + bytes([len(b)]) + b


def dumped(module, name, args, protocol):
    """What pickle.dumps makes of an object whose __reduce__ returns module.name and args."""
    if protocol == 0:
        items = b"".join(b"V" + a.encode() + b"\n" for a in args)
        return b"c" + module.encode() + b"\n" + name.encode() + b"\n(" + items + b"tR."
    head = b"" if protocol < 2 else bytes([0x80, protocol])
    if protocol >= 4:
        call = short(module) + short(name) + b"\x93"
    else:
        call = b"c" + module.encode() + b"\n" + name.encode() + b"\n"
    return head + call + b"(" + b"".join(map(text, args)) + b"tR."


def inside(value, protocol=2):
    """A state dict whose "iteration" is this pickled value, without its PROTO and STOP."""
    body = value[2:-1] if value[:1] == b"\x80" else value[:-1]
    return (bytes([0x80, protocol]) + b"}(" + text("module") + b"}" + text("iteration") + body
            + b"u.")


FILES = {}  # name -> (pickle, what inspect must say)


def add(name, data, said):
    FILES[name] = (data, said)


CMD = "touch pwned"
for p in range(6):
    add(f"os_system.{p}", dumped("os", "system", [CMD], p), "os.system")
    add(f"posix_system.{p}", dumped("posix", "system", [CMD], p), "posix.system")
    add(f"eval.{p}", dumped("builtins" if p > 2 else "__builtin__", "eval", ["1"], p), "builtins.eval")
add("nested_in_state", inside(dumped("os", "system", [CMD], 2)), "os.system")
add("exec_in_state", inside(dumped("builtins", "exec", ["import os"], 2)), "builtins.exec")
add("inst", b"(Vtouch pwned\nios\nsystem\n.", "os.system")
add("obj", b"(cos\nsystem\nVtouch pwned\no.", "os.system")
add("stack_global_memo",
    b"\x80\x04" + short("sys") + b"\x940" + short("posix") + b"\x94" + short("system") + b"\x94"
    + b"\x93(" + text(CMD) + b"tR.", "posix.system")
add("extension_code", b"\x80\x02\x82\x01(" + text(CMD) + b"tR.", "extension code")
add("newobj", b"\x80\x02csubprocess\nPopen\n(" + text(CMD) + b"t\x81.", "subprocess.Popen")
add("newobj_ex", b"\x80\x04" + short("subprocess") + short("Popen") + b"\x93)}\x92.",
    "subprocess.Popen")
add("build_setstate",
    b"\x80\x02ctorch.nn.modules.module\nModule\n)\x81}(" + text("__setstate__")
    + b"cos\nsystem\nub" + text(CMD) + b"b.", "os.system")
add("getattr_chain",
    b"\x80\x02c__builtin__\ngetattr\n(c__builtin__\n__import__\n(" + text("os") + b"tR"
    + text("system") + b"tR(" + text(CMD) + b"tR.", "builtins.__import__")
add("nested_reduce",
    b"\x80\x02c__builtin__\neval\n(c__builtin__\ncompile\n(" + text("1") + text("x") + text("eval")
    + b"tRtR.", "builtins.compile")
add("runpy", dumped("runpy", "_run_code", ["import os"], 2), "runpy._run_code")
add("importlib", dumped("importlib", "import_module", ["evil"], 4), "importlib.import_module")
add("dotted_name", b"\x80\x04" + short("torch") + short("serialization.load") + b"\x93("
    + text("/etc/passwd") + b"tR.", "torch.serialization.load")
add("torch_load", inside(dumped("torch", "load", ["other.pt"], 2)), "torch.load")
add("runstring", dumped("numpy.testing._private.utils", "runstring", ["import os", "x"], 2),
    "numpy.testing._private.utils.runstring")
add("socket", dumped("socket", "create_connection", ["127.0.0.1"], 4), "socket.create_connection")
add("webbrowser", dumped("webbrowser", "open", ["http://127.0.0.1"], 2), "webbrowser.open")
add("persistent_id", b"\x80\x02cos\nsystem\n(" + text(CMD) + b"tRQ.", "os.system")
add("in_dict_key", b"\x80\x02}cos\nsystem\n(" + text(CMD) + b"tRNs.", "os.system")
add("appended", b"\x80\x02](cos\nsystem\n(" + text(CMD) + b"tRe.", "os.system")
add("popped", b"\x80\x02cos\nsystem\n(" + text(CMD) + b"tR0}(" + text("module") + b"}u.",
    "os.system")
add("ordered_dict_state",
    b"\x80\x02ccollections\nOrderedDict\n)R(" + text("w") + b"cos\nsystem\n(" + text(CMD) + b"tRu.",
    "os.system")
add("control_characters", b"cos\nsys\x1b[2Jtem\n(V" + CMD.encode() + b"\ntR.", "os.sys")

with open("expected.txt", "w") as expected:
    for name, (data, said) in sorted(FILES.items()):
        expected.write(f"{name}.pt {said}\n")
        with zipfile.ZipFile(f"{name}.pt", "w") as z:
            for record, content in (("data.pkl", data), ("version", b"3\n")):
                info = zipfile.ZipInfo(f"archive/{record}", (1980, 1, 1, 0, 0, 0))
                z.writestr(info, content)
