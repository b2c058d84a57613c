#include "plugins/torch_file/pickler.h"

#include "plugins/torch_file/lookup.h"
#include "plugins/torch_file/tensor.h"
#include "plugins/torch_file/torch_file.h"
#include "plugins/torch_file/unpickler.h"
#include "tests/unit/torch_file/support.h"

namespace ckptbridge::torch_file {
namespace {

// A pickle of what is in data, read again, in text.
std::string again(std::span<const std::byte> data) {
  Values values;
  const ValueId root = unpickle(values, data, "first").root;
  const Bytes written = pickle(values, root);
  Values second;
  return canonical(second, unpickle(second, written, "second").root);
}

std::string once(std::span<const std::byte> data) {
  Values values;
  return canonical(values, unpickle(values, data, "first").root);
}

class PlainGolden : public testing::TestWithParam<int> {};

TEST_P(PlainGolden, MeansTheSameWhenWrittenAgain) {
  const Bytes data = golden("plain." + std::to_string(GetParam()) + ".pkl");
  EXPECT_EQ(again(data), once(data));
}

INSTANTIATE_TEST_SUITE_P(Pickler, PlainGolden, testing::Range(0, 6),
                         [](const auto& test) { return "Protocol" + std::to_string(test.param); });

TEST(Pickler, WritesTorchObjectsThatMeanTheSame) {
  for (const char* name : {"tiny_sd.pt", "tiny_tensor.pt", "tensors.pt", "objects.pt"}) {
    const Bytes data = golden(name);
    const TorchFile file = read_torch_file(MemorySource(data, name));
    const std::string text = canonical(file.values, file.root);
    Values second;
    const Bytes written = pickle(file.values, file.root);
    EXPECT_EQ(canonical(second, unpickle(second, written, name).root), text) << name;
  }
}

TEST(Pickler, KeepsListsThatAreOne) {
  Values values;
  const ValueId list = values.list({values.integer(1)});
  const Bytes data = pickle(values, values.tuple({list, list}));
  EXPECT_EQ(once(data), "#0(#1[1,],#1,)");
}

TEST(Pickler, KeepsListsThatContainThemselves) {
  Values values;
  const ValueId list = values.list();
  values.append(list, list);
  EXPECT_EQ(once(pickle(values, list)), "#0[#0,]");
}

// Root is in no cycle's memo yet when the cycle reaches it again.
TEST(Pickler, KeepsTuplesThatContainThemselves) {
  for (const std::size_t size : {1, 2, 3, 4}) {
    Values values;
    const ValueId list = values.list();
    const std::vector<ValueId> elements(size, list);
    const ValueId tuple = values.tuple(elements);
    values.append(list, tuple);
    std::string expected = "#0(#1[#0,],";
    for (std::size_t i = 1; i < size; ++i) expected += "#1,";
    EXPECT_EQ(once(pickle(values, tuple)), expected + ")");
    EXPECT_EQ(again(pickle(values, tuple)), expected + ")");
  }
}

TEST(Pickler, KeepsObjectsAndSetsThatContainThemselves) {
  Values values;
  const ValueId list = values.list();
  const ValueId object = values.reduce(values.global("a", "B"), values.tuple({list}));
  const ValueId set = values.set({object});
  values.append(list, set);
  values.set_item(object, values.string("k"), list);
  values.set_state(object, values.dict({{values.string("set"), set}}));
  const std::string expected = canonical(values, set);
  const Bytes data = pickle(values, set);
  EXPECT_EQ(once(data), expected);
  EXPECT_EQ(again(data), expected);
}

TEST(Pickler, WritesKeywordArguments) {
  Values values;
  const ValueId kwargs = values.dict({{values.string("x"), values.integer(1)}});
  const ValueId object = values.new_object(values.global("a", "B"), Values::empty_tuple(), kwargs);
  EXPECT_EQ(once(pickle(values, object)), "#0@copyreg.__newobj_ex__,#1(a.B,(),#2{s78,1,},),None,");
}

TEST(Pickler, KeepsTheOrderOfEdits) {
  Values values;
  const ValueId object = values.reduce(values.global("a", "B"), Values::empty_tuple());
  const ValueId one = values.integer(1);
  values.append(object, one);
  values.set_state(object, one);
  values.set_state(object, one);
  values.set_item(object, one, one);
  values.append(object, one);
  values.append(object, one);
  EXPECT_EQ(once(pickle(values, object)), canonical(values, object));
}

TEST(Pickler, NamesModulesAsProtocol2Does) {
  Values values;
  const Bytes data = pickle(values, values.global("builtins", "set"));
  EXPECT_EQ(data, to_bytes("\x80\x02"
                           "c__builtin__\nset\n."));
}

TEST(Pickler, NamesTheClassOfManySetsTwice) {
  Values values;
  std::vector<ValueId> sets;
  for (int i = 0; i < 1000; ++i) sets.push_back(values.set({values.integer(i)}));
  const Bytes data = pickle(values, values.list(sets));
  EXPECT_LT(data.size(), 1000U * 20);
  Values second;
  const ValueId root = unpickle(second, data, "x").root;
  ASSERT_EQ(second.elements(root).size(), 1000U);
  EXPECT_EQ(second.kind(second.elements(root)[999]), Kind::kSet);
  EXPECT_EQ(second.as_int(second.elements(second.elements(root)[999])[0]), 999);
}

TEST(Pickler, DoesNotMindDepth) {
  Values values;
  ValueId value = values.list();
  for (int i = 0; i < 50'000; ++i) {
    const ValueId pair = values.tuple({value});
    value = values.list({pair});
  }
  Values second;
  const auto result = unpickle(second, pickle(values, value), "deep");
  EXPECT_EQ(second.count() - 4, 100'001U);
  EXPECT_EQ(second.kind(result.root), Kind::kList);
}

TEST(Pickler, GivesTheBytesOfTheMinimalTensor) {
  Values values;
  const Bytes data = pickle(values, make_tensor(values, "0", kFloat32, {4}));
  const Bytes file = golden("ours_minimal_tensor.pt");
  EXPECT_EQ(data, Bytes(file.begin() + 0x40, file.begin() + 0xbe));
}

}  // namespace
}  // namespace ckptbridge::torch_file
