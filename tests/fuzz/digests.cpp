// A list of digests, which `verify --manifest` reads.
#include "core/compare/digest_list.h"
#include "tests/fuzz/target.h"

namespace fuzz = ckptbridge::fuzz;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ckptbridge::DigestList list;
  const bool is_read = fuzz::answers(
      [&] { list = ckptbridge::parse_digest_list(fuzz::text_of(data, size), "x.json"); });
  // What was read can be written, and is the same then.
  if (is_read) {
    const std::string text = ckptbridge::digest_list_json(list, "0");
    fuzz::require(
        ckptbridge::digest_list_json(ckptbridge::parse_digest_list(text, "x.json"), "0") == text);
  }
  return 0;
}
