#include "core/compare/digest_list.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ckptbridge/error.hpp"
#include "tests/unit/temp_folder.h"

namespace ckptbridge {
namespace {

using testing::HasSubstr;

std::string entry(const std::string& name, const std::string& more = "") {
  return fmt::format(R"({{"name": "{}", "role": "param", "dtype": "bfloat16", "shape": [2, 3],
                          "digest": "0123456789abcdef0123456789abcdef"{}}})",
                     name, more);
}

std::string rank(std::int64_t mp_rank, std::int64_t mp_world_size) {
  return fmt::format(R"(, "mp_rank": {}, "mp_world_size": {})", mp_rank, mp_world_size);
}

DigestList parse(const std::string& entries) {
  return parse_digest_list(
      R"({"ckptbridge_digests": 1, "digest": "xxh3-128", "tensors": [)" + entries + "]}", "x.json");
}

std::string refusal(const std::string& entries) {
  const Error error = thrown_by([&] { parse(entries); });
  EXPECT_EQ(error.code(), CKB_CORRUPT);
  return error.what();
}

TEST(DigestList, IsWrittenAsItWasRead) {
  const DigestList list =
      parse(entry("b", rank(1, 2)) + "," + entry("b", rank(0, 2)) + "," + entry("a"));
  ASSERT_EQ(list.tensors.size(), 3u);
  EXPECT_EQ(list.tensors[0].name, "a");
  EXPECT_EQ(list.tensors[1].mp_rank, 0);
  const std::string text = digest_list_json(list, "1");
  EXPECT_EQ(digest_list_json(parse_digest_list(text, "x.json"), "1"), text);
}

TEST(DigestList, IsRefusedWhereATensorIsListedTwice) {
  EXPECT_THAT(refusal(entry("a") + "," + entry("b") + "," + entry("a")),
              HasSubstr("x.json: tensor a of role param (model-parallel rank 0) is listed twice"));
  EXPECT_THAT(refusal(entry("a", rank(3, 4)) + "," + entry("a", rank(3, 4))),
              HasSubstr("(model-parallel rank 3) is listed twice"));
}

TEST(DigestList, IsRefusedWhereARankIsNoneOfItsWorld) {
  for (const auto& [mp_rank, mp_world_size] :
       {std::pair<std::int64_t, std::int64_t>(2, 2), {-1, 2}, {0, 0}, {0, 1ll << 32}}) {
    EXPECT_THAT(refusal(entry("a", rank(mp_rank, mp_world_size))),
                HasSubstr(fmt::format("x.json: tensors[0]: model-parallel rank {} of {}, expected "
                                      "one of 0 to mp_world_size - 1",
                                      mp_rank, mp_world_size)));
  }
}

}  // namespace
}  // namespace ckptbridge
