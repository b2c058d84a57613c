#include "cli/plugin_check/sample_copy.h"

#include <boost/filesystem/operations.hpp>

namespace ckptbridge::plugin_check {

namespace fs = boost::filesystem;

SampleCopy::SampleCopy(const Subject& subject, const fs::path& folder)
    : path(folder / require_sample(subject).filename()) {
  constexpr std::uint64_t kMost = 256 << 20;
  std::uint64_t total = 0;
  std::uint64_t most = 0;
  const auto copy = [&](const fs::path& from, const fs::path& to) {
    const std::uint64_t size = fs::file_size(from);
    total += size;
    if (total > kMost) throw Skipped("the sample is larger than 256 MiB");
    fs::copy_file(from, to);
    if (size < most) return;
    most = size;
    largest = to;
  };
  if (!fs::is_directory(subject.sample)) {
    copy(subject.sample, path);
    return;
  }
  fs::create_directories(path);
  for (const auto& item : fs::recursive_directory_iterator(subject.sample)) {
    const fs::path target = path / item.path().lexically_relative(subject.sample);
    if (fs::is_directory(item.path())) {
      fs::create_directories(target);
    } else {
      copy(item.path(), target);
    }
  }
}

}  // namespace ckptbridge::plugin_check
