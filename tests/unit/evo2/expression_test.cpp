#include "plugins/evo2/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/evo2/golden.h"

namespace ckptbridge::evo2 {
namespace {

using testing::HasSubstr;

std::int64_t fields(const std::string& name) {
  if (name == "hidden_size") return 64;
  if (name == "huge") return std::int64_t{1} << 40;
  throw Error(CKB_INVALID_ARGUMENT, "no field " + name);
}

std::uint64_t value(std::string_view text) { return evaluate(text, fields, "x.json"); }

TEST(Expression, MultipliesBeforeItAdds) {
  EXPECT_EQ(value("3 * hidden_size"), 192u);
  EXPECT_EQ(value("2+3*hidden_size-1"), 193u);
  EXPECT_EQ(value("(2 + 3) * hidden_size"), 320u);
  EXPECT_EQ(value("hidden_size / 4 / 2"), 8u);
}

TEST(Expression, RoundsUpToAMultiple) {
  EXPECT_EQ(value("round_up(hidden_size, 8)"), 64u);
  EXPECT_EQ(value("round_up(hidden_size + 1, 8)"), 72u);
  EXPECT_THAT(error_of([] { value("round_up(3, 0)"); }), HasSubstr("multiple of 0"));
}

TEST(Expression, DoesNotDivideWithARemainder) {
  EXPECT_THAT(error_of([] { value("hidden_size / 3"); }), HasSubstr("remainder: 64 / 3"));
  EXPECT_THAT(error_of([] { value("hidden_size / 0"); }), HasSubstr("remainder: 64 / 0"));
}

TEST(Expression, RefusesNumbersThatAreTooLarge) {
  EXPECT_THAT(error_of([] { value("huge * huge"); }), HasSubstr("too large"));
  EXPECT_THAT(error_of([] { value("99999999999999999999"); }), HasSubstr("too large"));
  EXPECT_THAT(error_of([] { value("1 - 2"); }), HasSubstr("negative"));
}

TEST(Expression, NamesItsPlaceInAnError) {
  for (const char* text : {"", "3 *", "hidden_size)", "(3", "a b", "round_up(1)", "$"}) {
    EXPECT_NE(error_of([&] { value(text); }), "") << text;
  }
  EXPECT_EQ(error_of([] { value("3 *"); }), "x.json: \"3 *\" is not an expression");
  EXPECT_THAT(error_of([] { value(std::string(100, '(')); }), HasSubstr("nested too deeply"));
}

}  // namespace
}  // namespace ckptbridge::evo2
