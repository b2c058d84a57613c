#include "plugins/torch_file/tensor.h"

#include "plugins/torch_file/lookup.h"
#include "plugins/torch_file/torch_file.h"
#include "tests/unit/torch_file/support.h"

namespace ckptbridge::torch_file {
namespace {

using Sizes = std::vector<std::int64_t>;

struct Golden {
  Golden() : data(golden("tensors.pt")), file(read_torch_file(MemorySource(data, "tensors.pt"))) {}
  Tensor at(std::string_view key) const {
    return require_tensor(file.values, require(file.values, file.root, key, "tensors.pt"),
                          std::string(key));
  }

  Bytes data;
  TorchFile file;
};

TEST(Tensor, GivesViewsOfSharedStorages) {
  const Golden golden;
  const Tensor base = golden.at("base");
  EXPECT_EQ(base.dtype, kFloat32);
  EXPECT_EQ(base.shape, (Sizes{2, 3, 4}));
  EXPECT_EQ(base.strides, (Sizes{12, 4, 1}));
  EXPECT_TRUE(base.is_contiguous());
  EXPECT_EQ(base.count(), 24U);
  EXPECT_EQ(base.storage.size, 96U);
  const Tensor permuted = golden.at("permuted");
  EXPECT_EQ(permuted.storage.key, base.storage.key);
  EXPECT_EQ(permuted.shape, (Sizes{4, 2, 3}));
  EXPECT_EQ(permuted.strides, (Sizes{1, 12, 4}));
  EXPECT_FALSE(permuted.is_contiguous());
  const Tensor strided = golden.at("strided");
  EXPECT_EQ(strided.offset, 1U);
  EXPECT_EQ(strided.strides, (Sizes{12, 8, 1}));
  EXPECT_EQ(golden.at("expanded").strides, (Sizes{0, 0}));
  EXPECT_EQ(golden.at("tied_a").storage.key, golden.at("tied_b").storage.key);
  EXPECT_EQ(golden.at("tied_view").offset, 1U);
}

TEST(Tensor, OfTheSameObjectIsTheSameValue) {
  const Golden golden;
  EXPECT_EQ(find(golden.file.values, golden.file.root, "tied_a"),
            find(golden.file.values, golden.file.root, "tied_b"));
}

TEST(Tensor, KnowsParametersAndBuffers) {
  const Golden golden;
  EXPECT_TRUE(golden.at("parameter").is_parameter);
  EXPECT_TRUE(golden.at("parameter").requires_grad);
  EXPECT_TRUE(golden.at("frozen").is_parameter);
  EXPECT_FALSE(golden.at("frozen").requires_grad);
  EXPECT_TRUE(golden.at("marked").is_parameter);
  EXPECT_FALSE(golden.at("buffer").is_parameter);
  EXPECT_EQ(golden.at("buffer").dtype, kBool);
}

TEST(Tensor, KnowsEveryType) {
  const Golden golden;
  const std::pair<const char*, Dtype> expected[] = {
      {"tied_a", kBFloat16}, {"empty", kFloat16}, {"scalar", kFloat64},     {"small", kInt16},
      {"bytes", kUInt8},     {"int8", kInt8},     {"complex", kComplex64},  {"expanded", kInt32},
      {"buffer", kBool},     {"uint16", kUInt16}, {"float8", kFloat8E4M3FN}};
  for (const auto& [key, dtype] : expected) EXPECT_EQ(golden.at(key).dtype, dtype) << key;
  EXPECT_EQ(golden.at("empty").shape, (Sizes{0, 5}));
  EXPECT_EQ(golden.at("scalar").shape, Sizes{});
  EXPECT_EQ(golden.at("scalar").count(), 1U);
}

TEST(Tensor, ReadsBackWhatWasMade) {
  const Golden golden;
  for (const Item& item : items_of(golden.file.values, golden.file.root)) {
    const Tensor tensor = require_tensor(golden.file.values, item.value, "tensor");
    Values values;
    const Tensor again = require_tensor(values, make_tensor(values, tensor), "again");
    EXPECT_EQ(again.shape, tensor.shape);
    EXPECT_EQ(again.strides, tensor.strides);
    EXPECT_EQ(again.offset, tensor.offset);
    EXPECT_EQ(again.dtype, tensor.dtype);
    EXPECT_EQ(again.requires_grad, tensor.requires_grad);
    EXPECT_EQ(again.is_parameter, tensor.is_parameter);
    EXPECT_EQ(again.storage.key, tensor.storage.key);
    EXPECT_EQ(again.storage.size, tensor.storage.size);
    EXPECT_EQ(again.storage.dtype, tensor.storage.dtype);
  }
}

TEST(Tensor, IsNoneAmongOtherObjects) {
  Values values;
  EXPECT_EQ(read_tensor(values, values.integer(1), "x"), std::nullopt);
  EXPECT_EQ(read_tensor(values, make_ordered_dict(values), "x"), std::nullopt);
  const ValueId sparse =
      values.reduce(values.global("torch._utils", "_rebuild_sparse_tensor"), Values::empty_tuple());
  EXPECT_EQ(read_tensor(values, sparse, "x"), std::nullopt);
  EXPECT_EQ(error_of([&] { require_tensor(values, sparse, "x.pt: w"); }),
            "x.pt: w: found object of torch._utils._rebuild_sparse_tensor, expected a tensor");
}

// A float32 tensor over a storage of 8 elements.
std::string view_error(std::int64_t offset, const Sizes& shape, const Sizes& strides,
                       ckb_status code = CKB_CORRUPT) {
  Values values;
  const auto tuple = [&](const Sizes& numbers) {
    std::vector<ValueId> elements;
    for (const std::int64_t number : numbers) elements.push_back(values.integer(number));
    return values.tuple(elements);
  };
  const ValueId pid =
      values.tuple({values.string("storage"), values.global("torch", "FloatStorage"),
                    values.string("0"), values.string("cpu"), values.integer(8)});
  const ValueId args =
      values.tuple({values.persistent_id(pid), values.integer(offset), tuple(shape), tuple(strides),
                    Values::boolean(false), make_ordered_dict(values)});
  const ValueId tensor = values.reduce(values.global("torch._utils", "_rebuild_tensor_v2"), args);
  return error_of([&] { require_tensor(values, tensor, "w"); }, code);
}

TEST(Tensor, LiesInItsStorage) {
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  EXPECT_EQ(view_error(0, {2, 4}, {4, 1}), "");
  EXPECT_EQ(view_error(7, {1}, {1}), "");
  EXPECT_EQ(view_error(0, {0, kHuge, kHuge}, {1, 1, 1}), "");
  EXPECT_EQ(
      view_error(1, {2, 4}, {4, 1}),
      "w: the tensor of shape [2, 4], strides [4, 1] and offset 1 does not lie in its storage "
      "'0' of 8 elements");
  EXPECT_NE(view_error(8, {}, {}), "");
  EXPECT_NE(view_error(0, {kHuge, kHuge}, {0, 0}), "");
  EXPECT_NE(view_error(0, {kHuge}, {kHuge}), "");
  EXPECT_NE(view_error(0, {3}, {kHuge}), "");
  EXPECT_NE(view_error(0, {-1}, {1}), "");
  EXPECT_NE(view_error(0, {2}, {-1}), "");
  EXPECT_NE(view_error(-1, {2}, {1}), "");
  EXPECT_NE(view_error(0, {2}, {}), "");
  EXPECT_NE(view_error(0, Sizes(65, 1), Sizes(65, 1)), "");
  EXPECT_EQ(view_error(0, Sizes(64, 1), Sizes(64, 1)), "");
}

TEST(Tensor, IsRefusedWhenItsBytesAreNotItsValues) {
  Values values;
  Tensor tensor;
  tensor.dtype = kComplex64;
  tensor.storage = {"0", kComplex64, "cpu", 2, 16};
  tensor.shape = {2};
  tensor.strides = {1};
  const ValueId plain = make_tensor(values, tensor);
  const auto args = values.elements(values.object(plain).args);
  std::vector<ValueId> more(args.begin(), args.end());
  more.push_back(values.dict({{values.string("conj"), Values::boolean(true)}}));
  const ValueId conjugated = values.reduce(values.object(plain).callable, values.tuple(more));
  EXPECT_NE(error_of([&] { require_tensor(values, conjugated, "w"); }, CKB_UNSUPPORTED), "");
}

TEST(Tensor, InEndlessWrapsIsRefused) {
  Values values;
  // A tuple cannot contain its object, but a chain can be long.
  ValueId tensor = make_tensor(values, "0", kFloat32, {1});
  for (int i = 0; i < 100; ++i) {
    tensor = values.reduce(values.global("torch._utils", "_rebuild_parameter"),
                           values.tuple({tensor, Values::boolean(true), Values::none()}));
  }
  EXPECT_NE(error_of([&] { require_tensor(values, tensor, "w"); }), "");
}

TEST(Storages, AreRenamedInOrderOfUse) {
  Golden golden;
  Values& values = golden.file.values;
  std::vector<std::string> old_keys;
  rename_storages(values, golden.file.root, [&](const Storage& storage) {
    old_keys.push_back(storage.key);
    return "n" + storage.key;
  });
  ASSERT_EQ(old_keys.size(), 15U);
  EXPECT_EQ(old_keys[0], "0");
  EXPECT_EQ(old_keys[14], "14");
  const auto storages = storages_of(values, golden.file.root, "tensors.pt");
  ASSERT_EQ(storages.size(), 15U);
  EXPECT_EQ(storages[14].key, "n14");
  EXPECT_EQ(golden.at("permuted").storage.key, "n0");
}

TEST(Storages, AgreeAboutTheirSize) {
  Values values;
  const ValueId both = values.list(
      {make_tensor(values, "0", kFloat32, {4}), make_tensor(values, "0", kFloat32, {5})});
  EXPECT_EQ(error_of([&] { storages_of(values, both, "x.pt"); }),
            "x.pt: storage '0' is said to have 4 and 5 elements, or two types");
}

}  // namespace
}  // namespace ckptbridge::torch_file
