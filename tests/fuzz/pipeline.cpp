// A chain of plugins: as a JSON file, and as words of a command line (one for each line here; no
// word has a NUL).
#include <vector>

#include "core/chain/chain.h"
#include "tests/fuzz/target.h"

namespace fuzz = ckptbridge::fuzz;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text_of(data, size);
  ckptbridge::ChainText chain;
  if (fuzz::answers([&] { chain = ckptbridge::parse_chain_json(text, "x.json"); }))
    ckptbridge::run_line(chain);
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (c == '\n' || c == '\0') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  if (fuzz::answers([&] { chain = ckptbridge::parse_chain(words); })) ckptbridge::run_line(chain);
  return 0;
}
