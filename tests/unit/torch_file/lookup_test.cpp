#include "plugins/torch_file/lookup.h"

#include "plugins/torch_file/torch_file.h"
#include "tests/unit/torch_file/byte_content.h"
#include "tests/unit/torch_file/support.h"

namespace ckptbridge::torch_file {
namespace {

TorchFile read(const std::string& name) {
  const Bytes data = golden(name);
  return read_torch_file(MemorySource(data, name));
}

TEST(Lookup, FindsTheBytesOfStreams) {
  const TorchFile file = read("objects.pt");
  const auto at = [&](std::string_view key) {
    return require(file.values, file.root, key, "objects.pt");
  };
  EXPECT_EQ(byte_content(file.values, at("bytes_io")), to_bytes("\x80\x02"
                                                                "extra"));
  EXPECT_EQ(byte_content(file.values, at("empty_io")), Bytes{});
  EXPECT_EQ(byte_content(file.values, at("size")), std::nullopt);
}

TEST(Lookup, FindsAttributesAndSizes) {
  const TorchFile file = read("objects.pt");
  const auto at = [&](std::string_view key) {
    return require(file.values, file.root, key, "objects.pt");
  };
  EXPECT_EQ(int_list(file.values, at("size")), (std::vector<std::int64_t>{2, 3}));
  EXPECT_TRUE(file.values.is_global(at("dtype"), "torch", "bfloat16"));
  EXPECT_TRUE(is_object_of(file.values, at("layout"), "torch.serialization", "_get_layout"));
  const auto metadata = attribute(file.values, at("state"), "_metadata");
  ASSERT_TRUE(metadata);
  EXPECT_TRUE(find(file.values, *metadata, ""));
  EXPECT_EQ(class_name(file.values, at("array")), "numpy.core.multiarray._reconstruct");
  EXPECT_EQ(class_name(file.values, at("number")), "numpy.core.multiarray.scalar");
  EXPECT_EQ(file.values.elements(at("set")).size(), 2U);
}

TEST(Lookup, SaysWhatIsMissingAndWhatWasFound) {
  Values values;
  const ValueId dict = values.dict({{values.string("a"), values.integer(5)}});
  EXPECT_EQ(error_of([&] { require(values, dict, "b", "x.pt"); }), "x.pt: has no key 'b'");
  const ValueId five = *find(values, dict, "a");
  EXPECT_EQ(error_of([&] { require(values, five, "b", "x.pt"); }),
            "x.pt: found int 5, expected a dict");
  EXPECT_EQ(error_of([&] { require_string(values, five, "x.pt: a"); }),
            "x.pt: a: found int 5, expected a str");
  EXPECT_EQ(error_of([&] { require_int(values, dict, "x.pt: a"); }),
            "x.pt: a: found dict of 1, expected an int");
}

TEST(Lookup, TakesTheLastOfEqualKeys) {
  Values values;
  const ValueId key = values.string("a");
  const ValueId dict = values.dict({{key, values.integer(1)}, {key, values.integer(2)}});
  EXPECT_EQ(values.as_int(*find(values, dict, "a")), 2);
}

TEST(Lookup, DescribesInOneLine) {
  Values values;
  EXPECT_EQ(describe(values, values.string("a\nb")), "str 'a\\x0ab'");
  EXPECT_EQ(describe(values, values.string(std::string(100, 'x'))),
            "str '" + std::string(60, 'x') + "...'");
  EXPECT_EQ(describe(values, values.tuple({0, 0})), "tuple of 2");
}

}  // namespace
}  // namespace ckptbridge::torch_file
