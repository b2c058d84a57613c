#include "core/disk/output_files.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <unordered_set>
#include <utility>
#include <vector>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "core/disk/file_cache.h"
#include "core/disk/page_cache.h"

namespace ckptbridge {
namespace fs = boost::filesystem;

namespace {

constexpr size_t kMaxPath = 4096;
constexpr size_t kMaxComponent = 255;

// The path with what would disturb a terminal made visible.
std::string printable(const std::string& path) {
  std::string text;
  for (const char c : path.substr(0, kMaxPath)) {
    const auto byte = static_cast<unsigned char>(c);
    text += byte < 0x20 || byte == 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return text;
}

[[noreturn]] void refuse(const std::string& path, const char* reason) {
  throw Error(CKB_INVALID_ARGUMENT, fmt::format("output path \"{}\" {}", printable(path), reason));
}

struct Target {
  std::string path;
  uint64_t size = 0;
};

}  // namespace

void require_output_path(const std::string& path) {
  if (path.empty()) refuse(path, "is empty");
  if (path.size() > kMaxPath) refuse(path, "is longer than 4096 bytes");
  if (path.front() == '/') refuse(path, "is absolute; it must be relative to the output");
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\') refuse(path, "has a backslash");
    if (byte < 0x20 || byte == 0x7f) refuse(path, "has a control character");
  }
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string component = path.substr(begin, end - begin);
    if (component.empty()) refuse(path, "has an empty component");
    if (component == "." || component == "..") refuse(path, "has a component \".\" or \"..\"");
    if (component.size() > kMaxComponent) refuse(path, "has a component longer than 255 bytes");
    begin = end + 1;
  }
}

struct OutputFiles::State {
  State(fs::path place, size_t open_files)
      : folder(std::move(place)), cache(open_files, [this](uint32_t file) {
          return File::open_to_write(folder / target(file).path);
        }) {}

  const Target& target(uint32_t file) const;
  void pass(const FileRange& range);
  // With mutex held.
  void require_new(const std::string& path) const;
  void make_folders(const std::string& path);
  uint32_t add(const std::string& path, uint64_t size);

  const fs::path folder;
  // Entries are only added and never changed, so what a lookup returned stays valid.
  mutable std::shared_mutex mutex;
  std::deque<Target> targets;
  std::unordered_set<std::string> paths;
  std::set<std::string> folders;
  std::atomic<uint64_t> bytes_written{0};
  std::atomic<bool> drops{false};
  PassedRanges passed;
  FileCache cache;
};

const Target& OutputFiles::State::target(uint32_t file) const {
  const std::shared_lock lock(mutex);
  if (file >= targets.size()) {
    throw Error(CKB_INTERNAL,
                fmt::format("output file {} was not made; there are {}", file, targets.size()));
  }
  return targets[file];
}

void OutputFiles::State::pass(const FileRange& range) {
  cache.get(range.file)->write_back(range.begin, range.size, false);
  for (const FileRange& behind : passed.add(range)) {
    const auto opened = cache.get(behind.file);
    opened->write_back(behind.begin, behind.size, true);
    opened->drop_cache(behind.begin, behind.size);
  }
}

void OutputFiles::State::require_new(const std::string& path) const {
  require_output_path(path);
  if (paths.count(path) != 0) refuse(path, "is asked for twice");
  if (folders.count(path) != 0) refuse(path, "is a folder of another output file");
}

uint32_t OutputFiles::State::add(const std::string& path, uint64_t size) {
  paths.insert(path);
  targets.push_back({path, size});
  return static_cast<uint32_t>(targets.size() - 1);
}

void OutputFiles::State::make_folders(const std::string& path) {
  for (size_t end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string above = path.substr(0, end);
    if (paths.count(above) != 0) refuse(path, "lies below another output file");
    if (!folders.insert(above).second) continue;
    try {
      make_folder(folder / above);
    } catch (...) {
      folders.erase(above);
      throw;
    }
  }
}

OutputFiles::OutputFiles(fs::path folder, size_t open_files)
    : state_(std::make_unique<State>(std::move(folder), open_files)) {}
OutputFiles::OutputFiles(OutputFiles&&) noexcept = default;
OutputFiles& OutputFiles::operator=(OutputFiles&&) noexcept = default;
OutputFiles::~OutputFiles() = default;

uint32_t OutputFiles::create(const std::string& path, uint64_t size) {
  const std::unique_lock lock(state_->mutex);
  state_->require_new(path);
  state_->make_folders(path);
  File::create(state_->folder / path, size).close();
  return state_->add(path, size);
}

bool OutputFiles::adopt(const std::string& path, uint64_t size) {
  const std::unique_lock lock(state_->mutex);
  state_->require_new(path);
  state_->make_folders(path);
  const fs::path file = state_->folder / path;
  if (fs::symlink_status(file).type() == fs::regular_file && file_state(file).size == size) {
    state_->add(path, size);
    return true;
  }
  fs::remove_all(file);
  return false;
}

uint32_t OutputFiles::count() const {
  const std::shared_lock lock(state_->mutex);
  return static_cast<uint32_t>(state_->targets.size());
}

const std::string& OutputFiles::path(uint32_t file) const { return state_->target(file).path; }

void OutputFiles::write(uint32_t file, uint64_t offset, std::span<const std::byte> data) {
  const Target& target = state_->target(file);
  if (offset > target.size || data.size() > target.size - offset) {
    throw Error(CKB_INTERNAL, fmt::format("{}: {} bytes at {} do not fit into its {}", target.path,
                                          data.size(), offset, target.size));
  }
  if (data.empty()) return;
  state_->cache.get(file)->write_at(offset, data);
  if (state_->drops) state_->pass({file, offset, data.size()});
  state_->bytes_written += data.size();
}

void OutputFiles::drop_behind() const { state_->drops = true; }

// A file that was closed and is opened anew still reports a write that the kernel could not do
// (Linux 4.16 and later keep such an error until someone has seen it).
void OutputFiles::sync(uint32_t file) { state_->cache.get(file)->sync(); }

void OutputFiles::sync_all() {
  const uint32_t files = count();
  for (uint32_t file = 0; file < files; ++file) sync(file);
  state_->cache.close_all();
  sync_folders();
}

void OutputFiles::sync_folders() {
  const auto depth = [](const std::string& path) {
    return std::count(path.begin(), path.end(), '/');
  };
  std::vector<std::string> folders(state_->folders.begin(), state_->folders.end());
  std::stable_sort(folders.begin(), folders.end(),
                   [&](const auto& a, const auto& b) { return depth(a) > depth(b); });
  for (const std::string& folder : folders) sync_folder(state_->folder / folder);
  sync_folder(state_->folder);
}

uint64_t OutputFiles::bytes_written() const { return state_->bytes_written; }

}  // namespace ckptbridge
