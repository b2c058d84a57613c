// Runs a fuzz target over files and folders of inputs, with any compiler. An input may take ten
// seconds; the memory of the process is bounded by the test that calls this.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/target.h"

namespace {

namespace fs = std::filesystem;

bool replay(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::vector<char> data((std::istreambuf_iterator<char>(in)), {});
  const auto begin = std::chrono::steady_clock::now();
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(data.data()), data.size());
  const auto took = std::chrono::steady_clock::now() - begin;
  constexpr auto kMost = std::chrono::seconds(10);
  if (took <= kMost) return true;
  std::fprintf(stderr, "%s: took more than 10 seconds\n", file.c_str());
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  bool good = true;
  unsigned count = 0;
  for (int i = 1; i < argc; ++i) {
    if (!fs::is_directory(argv[i])) {
      good = replay(argv[i]) && good;
      ++count;
      continue;
    }
    for (const auto& entry : fs::directory_iterator(argv[i])) {
      good = replay(entry.path()) && good;
      ++count;
    }
  }
  std::printf("%u inputs\n", count);
  return good && count > 0 ? 0 : 1;
}
