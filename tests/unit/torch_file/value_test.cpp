#include "plugins/torch_file/value.h"

#include "tests/unit/torch_file/support.h"

namespace ckptbridge::torch_file {
namespace {

TEST(Values, AreOfTheKindTheyWereMade) {
  Values values;
  EXPECT_EQ(values.kind(Values::none()), Kind::kNone);
  EXPECT_EQ(values.as_bool(Values::boolean(true)), true);
  EXPECT_EQ(values.as_bool(Values::boolean(false)), false);
  EXPECT_TRUE(values.elements(Values::empty_tuple()).empty());
  EXPECT_EQ(values.as_int(values.integer(-5)), -5);
  EXPECT_EQ(values.as_float(values.real(-0.5)), -0.5);
  EXPECT_EQ(values.as_string(values.string("a")), "a");
  EXPECT_EQ(values.as_string(values.integer(1)), std::nullopt);
  EXPECT_TRUE(values.is_global(values.global("torch", "Size"), "torch", "Size"));
  EXPECT_FALSE(values.is_global(values.global("torch", "Size"), "torch", "size"));
}

TEST(Values, TakeIntegersOfAnySize) {
  Values values;
  const auto integer = [&](std::string_view bytes) { return values.integer(to_bytes(bytes)); };
  EXPECT_EQ(values.as_int(integer("")), 0);
  EXPECT_EQ(values.as_int(integer("\xff")), -1);
  EXPECT_EQ(values.as_int(integer(std::string_view("\xff\0\0", 3))), 255);
  EXPECT_EQ(values.as_int(integer(std::string_view("\0\0\0\0\0\0\0\x80", 8))),
            std::numeric_limits<std::int64_t>::min());
  const ValueId big = integer(std::string_view("\0\0\0\0\0\0\0\x80\0", 9));
  EXPECT_EQ(values.kind(big), Kind::kBigInt);
  EXPECT_EQ(values.big_integer(big).size(), 9U);
  EXPECT_EQ(values.as_int(big), std::nullopt);
}

TEST(Values, KeepShortStringsOnce) {
  Values values;
  const ValueId first = values.string("offset");
  EXPECT_EQ(values.string("offset"), first);
  EXPECT_EQ(values.global("torch", "Size"), values.global("torch", "Size"));
}

TEST(Values, CopyWhatAlreadyIsTheirs) {
  Values values;
  const ValueId text = values.string(std::string(1000, 'x'));
  const ValueId tuple = values.tuple({text, text, text, text});
  for (int i = 0; i < 100; ++i) {
    const ValueId copy = values.string(*values.as_string(text));
    EXPECT_EQ(values.as_string(copy), std::string(1000, 'x'));
    EXPECT_EQ(values.elements(values.tuple(values.elements(tuple))).size(), 4U);
  }
}

TEST(Values, RefuseWhatTheirKindCannotDo) {
  Values values;
  const ValueId number = values.integer(1);
  EXPECT_NE(error_of([&] { values.append(number, number); }), "");
  EXPECT_NE(error_of([&] { values.set_item(number, number, number); }), "");
  EXPECT_NE(error_of([&] { values.set_state(values.list(), number); }), "");
  EXPECT_NE(error_of([&] { static_cast<void>(values.elements(number)); }), "");
  EXPECT_NE(error_of([&] { static_cast<void>(values.items(number)); }), "");
  EXPECT_NE(error_of([&] { static_cast<void>(values.object(number)); }), "");
}

}  // namespace
}  // namespace ckptbridge::torch_file
