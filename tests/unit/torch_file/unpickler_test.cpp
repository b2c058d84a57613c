#include "plugins/torch_file/unpickler.h"

#include <sstream>

#include "plugins/torch_file/lookup.h"
#include "tests/unit/torch_file/byte_content.h"
#include "tests/unit/torch_file/support.h"

namespace ckptbridge::torch_file {
namespace {

using namespace std::string_literals;

struct Unpickled {
  Values values;
  ValueId root;
};

Unpickled unpickled(std::string_view text) {
  Unpickled result;
  result.root = unpickle(result.values, to_bytes(text), "x.pt: data.pkl").root;
  return result;
}

std::string text_of(std::string_view text) {
  const Unpickled result = unpickled(text);
  return canonical(result.values, result.root);
}

class EveryProtocol : public testing::TestWithParam<int> {
 protected:
  std::string file() const { return "plain." + std::to_string(GetParam()) + ".pkl"; }
};

TEST_P(EveryProtocol, GivesWhatPythonHad) {
  const Unpickled result = unpickled(golden_text(file()));
  std::map<std::string, std::string> found;
  for (const Item& item : result.values.items(result.root)) {
    found[canonical(result.values, item.key)] = canonical(result.values, item.value);
  }
  std::istringstream lines(golden_text("plain.txt"));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const std::size_t tab = line.find('\t');
    EXPECT_EQ(found[line.substr(0, tab)], line.substr(tab + 1)) << line.substr(0, tab);
  }
  EXPECT_EQ(count, 21);
}

TEST_P(EveryProtocol, GivesObjectsAsData) {
  const Unpickled result = unpickled(golden_text(file()));
  const Values& values = result.values;
  const auto at = [&](std::string_view key) { return require(values, result.root, key, "plain"); };
  EXPECT_TRUE(values.is_global(at("class"), "collections", "OrderedDict"));
  EXPECT_TRUE(values.is_global(at("function"), "builtins", "len"));
  EXPECT_EQ(byte_content(values, at("bytearray")), to_bytes("\x01\xfe"));
  EXPECT_EQ(class_name(values, at("ordered")), "collections.OrderedDict");
  EXPECT_EQ(values.as_int(*find(values, at("ordered"), "a")), 2);
  EXPECT_EQ(class_name(values, at("default")), "collections.defaultdict");
  EXPECT_TRUE(find(values, at("default"), "k"));
  EXPECT_EQ(class_name(values, at("counter")), "collections.Counter");
  EXPECT_EQ(values.as_float(*attribute(values, at("namespace"), "lr")), 0.1);
  EXPECT_EQ(class_name(values, at("complex")), "builtins.complex");
  EXPECT_EQ(class_name(values, at("slice")), "builtins.slice");
  EXPECT_EQ(class_name(values, at("range")), "builtins.range");
  EXPECT_EQ(class_name(values, at("date")), "datetime.date");
  EXPECT_EQ(class_name(values, at("path")), "pathlib.PurePosixPath");
}

INSTANTIATE_TEST_SUITE_P(Pickle, EveryProtocol, testing::Range(0, 6),
                         [](const auto& test) { return "Protocol" + std::to_string(test.param); });

TEST(Unpickler, ReportsOsSystemAndRunsNothing) {
  const Unpickled result = unpickled(golden_text("hostile.pkl"));
  EXPECT_EQ(named_globals(result.values), std::vector<std::string>{"os.system"});
  EXPECT_EQ(class_name(result.values, result.root), "os.system");
  EXPECT_EQ(describe(result.values, result.root), "object of os.system");
}

TEST(Unpickler, NamesWhatIsPoppedToo) {
  EXPECT_EQ(named_globals(unpickled("cos\nsystem\n0N.").values),
            std::vector<std::string>{"os.system"});
}

TEST(Unpickler, GivesTodaysNames) {
  EXPECT_EQ(text_of("c__builtin__\nlong\n."), "builtins.int");
  EXPECT_EQ(text_of("c__builtin__\nset\n."), "builtins.set");
  EXPECT_EQ(text_of("ccopy_reg\n_reconstructor\n."), "copyreg._reconstructor");
  EXPECT_EQ(text_of("ctorch.tensor\n_rebuild_from_type\n."), "torch._tensor._rebuild_from_type");
  EXPECT_EQ(text_of("cnumpy._core.multiarray\nscalar\n."), "numpy.core.multiarray.scalar");
  EXPECT_EQ(text_of("cnumpy._core\nx\n."), "numpy.core.x");
  EXPECT_EQ(text_of("cnumpy._core_x\nx\n."), "numpy._core_x.x");
}

TEST(Unpickler, ReadsTheOpcodesThatPythonSeldomWrites) {
  EXPECT_EQ(text_of("(I1\nI2\nl."), "#0[1,2,]");
  EXPECT_EQ(text_of("(I1\nI2\nd."), "#0{1,2,}");
  EXPECT_EQ(text_of("(I01\nI00\nt."), "#0(True,False,)");
  EXPECT_EQ(text_of("S'a\\x41\\n\\'\\101\\q'\n."), "s61410a27415c71");
  EXPECT_EQ(text_of("T\x02\0\0\0hi."s), "s6869");
  EXPECT_EQ(text_of("U\x02hi."), "s6869");
  EXPECT_EQ(text_of("Va\\u20ac\\\\u\n."), "s61e282ac5c5c75");
  EXPECT_EQ(text_of("L-129L\n."), "-129");
  EXPECT_EQ(text_of("F-1.5\n."), "fbff8000000000000");
  EXPECT_EQ(text_of("Pkey\n."), "#0&s6b6579,");
  EXPECT_EQ(text_of("(ca\nB\no."), "#0!a.B,(),None,");
  EXPECT_EQ(text_of("(ia\nB\n."), "#0!a.B,(),None,");
  EXPECT_EQ(text_of("(I1\nia\nB\n."), "#0@a.B,#1(1,),None,");
  EXPECT_EQ(text_of("(ca\nB\nI1\no."), "#0@a.B,#1(1,),None,");
  EXPECT_EQ(text_of("K\x01\x32\x86."), "#0(1,1,)");
  EXPECT_EQ(text_of("N(K\x01K\x02\x31."), "None");
  EXPECT_EQ(text_of("N(0."), "None");
  EXPECT_EQ(text_of("ca\nB\n)}\x92."), "#0!a.B,(),#1{},");
  EXPECT_EQ(text_of("\x8f(K\x01\x90."), "#0<1,>");
  EXPECT_EQ(text_of("\x8b\x01\0\0\0\xff."s), "-1");
}

TEST(Unpickler, FoldsOldOrderedDicts) {
  const Unpickled result = unpickled("ccollections\nOrderedDict\n((lp0\n(lp1\nVk\naI7\naatR.");
  EXPECT_EQ(result.values.as_int(*find(result.values, result.root, "k")), 7);
}

TEST(Unpickler, KeepsCallsThatAreNoPlainValue) {
  EXPECT_EQ(text_of("c_codecs\nencode\n(X\1\0\0\0aX\5\0\0\0utf-8tR."s),
            "#0@_codecs.encode,#1(s61,s7574662d38,),None,");
  EXPECT_EQ(text_of("c_codecs\nencode\n(X\3\0\0\0\xe2\x82\xacX\6\0\0\0latin1tR."s),
            "#0@_codecs.encode,#1(se282ac,s6c6174696e31,),None,");
}

TEST(Unpickler, StopsFoldingBeforeItMultiplies) {
  // One string of 1000 bytes, encoded a hundred times.
  std::string text = "](c_codecs\nencode\nq\0X\xe8\3\0\0"s + std::string(1000, 'a') +
                     "X\6\0\0\0latin1\x86q\1RK\0K\0"s;
  for (int i = 0; i < 100; ++i) text += "h\0h\1R"s;
  text += "e.";
  const Unpickled result = unpickled(text);
  int folded = 0;
  for (const ValueId id : result.values.elements(result.root)) {
    folded += result.values.kind(id) == Kind::kBytes ? 1 : 0;
  }
  EXPECT_EQ(folded, 1);
}

TEST(Unpickler, SaysHowMuchItRead) {
  Values values;
  EXPECT_EQ(unpickle(values, to_bytes("\x80\x02N.rest"), "x").size, 4U);
}

TEST(Unpickler, NamesThePickleAndTheByte) {
  const auto error = [](std::string_view text, ckb_status code = CKB_CORRUPT) {
    return error_of([&] { unpickled(text); }, code);
  };
  const std::string start = "x.pt: data.pkl: byte ";
  EXPECT_EQ(error(""), start + "0: the pickle ends too soon: 1 bytes are needed, 0 are left");
  EXPECT_EQ(error("NX\xff\xff\xff\xff"),
            start + "1: the pickle ends too soon: 4294967295 bytes are needed, 0 are left");
  EXPECT_EQ(error("N\xff"), start + "1: there is no opcode 255");
  EXPECT_EQ(error("h\x07."), start + "0: memo index 7 was never set");
  EXPECT_EQ(error("Nr\xff\xff\xff\xff."),
            start + "1: memo index 4294967295 is higher than any pickle of this size needs");
  EXPECT_EQ(error("."), start + "0: the stack is empty where a value is needed");
  EXPECT_EQ(error("(."), start + "1: the stack is empty where a value is needed");
  EXPECT_EQ(error("N(a."), start + "2: the stack is empty where a value is needed");
  EXPECT_EQ(error("Ne."), start + "1: there is no mark on the stack where one is needed");
  EXPECT_EQ(error("N(e."), start + "2: elements are appended to what is not a list");
  EXPECT_EQ(error("](Nu."), start + "3: items are set in what is not a dict");
  EXPECT_EQ(error("}(Nu."), start + "3: a key of a dict has no value");
  EXPECT_EQ(error("}Nb."), start + "2: a state is given to what is not an object");
  EXPECT_EQ(error("NNR."), start + "2: the arguments of a call are not a tuple");
  EXPECT_EQ(error("X\1\0\0\0\xff."s), start + "0: a string is not valid UTF-8");
  EXPECT_EQ(error("NN\x93."), start + "2: the name of a class is not a string");
  EXPECT_EQ(error("T\xff\xff\xff\xff."), start + "0: a size is negative: -1");
  EXPECT_EQ(error("I1x\n."), start + "0: an integer is not a number of at most 4300 digits");
  EXPECT_EQ(error("I" + std::string(5000, '1') + "\n."),
            start + "0: an integer is not a number of at most 4300 digits");
  EXPECT_EQ(error("\x80\x06N.", CKB_UNSUPPORTED),
            start + "0: the pickle has protocol 6, the highest known is 5");
  EXPECT_NE(error("\x82\x01.", CKB_UNSUPPORTED), "");
  EXPECT_NE(error("\x97.", CKB_UNSUPPORTED), "");
}

TEST(Unpickler, DoesNotMindDepth) {
  const int depth = 200'000;
  const std::string text = std::string(depth, ']') + std::string(depth - 1, 'a') + ".";
  Unpickled result = unpickled(text);
  int count = 0;
  for_each_reachable(result.values, result.root, [&](ValueId) { ++count; });
  EXPECT_EQ(count, depth);
}

}  // namespace
}  // namespace ckptbridge::torch_file
