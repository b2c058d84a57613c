#include "core/disk/input_files.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "core/disk/file_cache.h"
#include "core/disk/page_cache.h"

namespace ckptbridge {
namespace fs = boost::filesystem;

namespace {

struct Physical {
  fs::path path;
  FileState state;
};

// A piece of a logical file: where it begins there, and which physical file it is.
struct Piece {
  uint64_t begin = 0;
  uint64_t size = 0;
  uint32_t physical = 0;
};

struct Logical {
  std::string name;
  uint64_t size = 0;
  std::vector<std::string> paths;
  std::vector<Piece> pieces;
};

Error changed(const fs::path& path, const std::string& found) {
  return {CKB_IO,
          fmt::format("{}: changed while it was read ({})", path.string(), found),
          {.file = path.string(), .hint = "stop what writes there and run again"}};
}

void require_same(const fs::path& path, const FileState& now, const FileState& before) {
  if (now.size != before.size) {
    throw changed(path, fmt::format("{} bytes, before {}", now.size, before.size));
  }
  if (now.inode != before.inode) throw changed(path, "another file has its name");
  if (now.mtime_ns != before.mtime_ns) throw changed(path, "it was written to");
}

// Of a file that was there before.
FileState state_now(const fs::path& path) {
  try {
    return file_state(path);
  } catch (const Error& error) {
    if (error.code() != CKB_NOT_FOUND) throw;
    throw changed(path, "it is gone");
  }
}

}  // namespace

struct InputFiles::State {
  State(fs::path folder, size_t open_files)
      : root(std::move(folder)),
        cache(open_files, [this](uint32_t physical) { return open_physical(physical); }) {}

  fs::path resolve(const std::string& piece) const;
  uint32_t add_physical(const fs::path& path);
  File open_physical(uint32_t physical);
  void drop(const std::vector<FileRange>& ranges);
  const Physical& physical_at(uint32_t index) const;
  const Logical& file(uint32_t id) const;
  // Calls visit(physical file, offset there, offset in the range, size) for each part of a range.
  template <typename Visit>
  void for_each_part(const Logical& file, uint64_t offset, uint64_t size, Visit visit) const;

  const fs::path root;
  // Entries are only added and never changed, so what a lookup returned stays valid.
  mutable std::shared_mutex mutex;
  std::deque<Logical> files;
  std::deque<Physical> physicals;
  std::map<std::vector<std::string>, uint32_t> ids;
  std::unordered_map<std::string, uint32_t> physical_ids;
  std::atomic<uint64_t> opens{0};
  std::atomic<uint64_t> bytes_read{0};
  std::atomic<bool> drops{false};
  PassedRanges passed;
  FileCache cache;
};

fs::path InputFiles::State::resolve(const std::string& piece) const {
  if (piece.empty()) throw Error(CKB_INVALID_ARGUMENT, "an input file has an empty path");
  if (piece.find('\0') != std::string::npos) {
    throw Error(CKB_INVALID_ARGUMENT, fmt::format("{}: the path has a zero byte", piece.c_str()));
  }
  fs::path path(piece);
  if (path.is_absolute()) return path;
  for (const fs::path& component : path) {
    if (component != "..") continue;
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("{}: the path leaves {}; a relative path of an "
                            "input file has no \"..\"",
                            piece, root.string()),
                {.file = piece});
  }
  return root.empty() || root == "." ? path : root / path;
}

uint32_t InputFiles::State::add_physical(const fs::path& path) {
  const FileState found = file_state(path);
  const std::unique_lock lock(mutex);
  const auto [at, is_new] =
      physical_ids.try_emplace(path.string(), static_cast<uint32_t>(physicals.size()));
  if (is_new) physicals.push_back({path, found});
  return at->second;
}

File InputFiles::State::open_physical(uint32_t physical) {
  const Physical& expected = physical_at(physical);
  require_same(expected.path, state_now(expected.path), expected.state);
  File file = File::open_to_read(expected.path);
  ++opens;
  require_same(expected.path, file.state(), expected.state);
  return file;
}

void InputFiles::State::drop(const std::vector<FileRange>& ranges) {
  for (const FileRange& range : ranges) {
    cache.get(range.file)->drop_cache(range.begin, range.size);
  }
}

const Physical& InputFiles::State::physical_at(uint32_t index) const {
  const std::shared_lock lock(mutex);
  return physicals[index];
}

const Logical& InputFiles::State::file(uint32_t id) const {
  const std::shared_lock lock(mutex);
  if (id == 0 || id > files.size()) {
    throw Error(CKB_INTERNAL,
                fmt::format("input file {} was not opened; there are {}", id, files.size()));
  }
  return files[id - 1];
}

template <typename Visit>
void InputFiles::State::for_each_part(const Logical& file, uint64_t offset, uint64_t size,
                                      Visit visit) const {
  auto piece = std::upper_bound(file.pieces.begin(), file.pieces.end(), offset,
                                [](uint64_t at, const Piece& p) { return at < p.begin; });
  for (uint64_t done = 0; done < size; ++piece) {
    const Piece& part = *(piece - 1);
    const uint64_t within = offset + done - part.begin;
    const uint64_t step = std::min(size - done, part.size - within);
    if (step != 0) visit(part.physical, within, done, step);
    done += step;
  }
}

InputFiles::InputFiles(fs::path root, size_t open_files)
    : state_(std::make_unique<State>(std::move(root), open_files)) {}
InputFiles::InputFiles(InputFiles&&) noexcept = default;
InputFiles& InputFiles::operator=(InputFiles&&) noexcept = default;
InputFiles::~InputFiles() = default;

uint32_t InputFiles::open(std::span<const std::string> pieces) {
  if (pieces.empty()) throw Error(CKB_INVALID_ARGUMENT, "an input file has no pieces");
  Logical file;
  std::vector<std::string> key;
  for (const std::string& piece : pieces) {
    file.paths.push_back(state_->resolve(piece).string());
    key.push_back(fs::path(file.paths.back()).lexically_normal().string());
  }
  {
    const std::shared_lock lock(state_->mutex);
    if (const auto found = state_->ids.find(key); found != state_->ids.end()) return found->second;
  }
  for (const std::string& path : file.paths) {
    const uint32_t physical = state_->add_physical(path);
    // Opened at once, so that a missing permission shows before work begins. The descriptor goes
    // into the cache: what is opened is read next.
    state_->cache.get(physical);
    const uint64_t size = state_->physical_at(physical).state.size;
    if (size > UINT64_MAX - file.size) {
      throw Error(CKB_CORRUPT, fmt::format("{}: the pieces are too large together", path),
                  {.file = path});
    }
    file.pieces.push_back({file.size, size, physical});
    file.size += size;
  }
  file.name = file.paths.front();
  const std::unique_lock lock(state_->mutex);
  const auto [at, is_new] =
      state_->ids.try_emplace(std::move(key), static_cast<uint32_t>(state_->files.size() + 1));
  if (is_new) state_->files.push_back(std::move(file));
  return at->second;
}

uint32_t InputFiles::count() const {
  const std::shared_lock lock(state_->mutex);
  return static_cast<uint32_t>(state_->files.size());
}

uint64_t InputFiles::size(uint32_t id) const { return state_->file(id).size; }
const std::string& InputFiles::name(uint32_t id) const { return state_->file(id).name; }
const std::vector<std::string>& InputFiles::pieces(uint32_t id) const {
  return state_->file(id).paths;
}

void InputFiles::read(uint32_t id, uint64_t offset, std::span<std::byte> data) const {
  const Logical& file = state_->file(id);
  if (offset > file.size || data.size() > file.size - offset) {
    throw Error(CKB_CORRUPT,
                fmt::format("{}: {} bytes at {} are asked for, the file has {}", file.name,
                            data.size(), offset, file.size),
                {.file = file.name});
  }
  state_->for_each_part(
      file, offset, data.size(), [&](uint32_t physical, uint64_t from, uint64_t to, uint64_t size) {
        const auto opened = state_->cache.get(physical);
        const size_t got = opened->read_at(from, data.subspan(to, size));
        state_->bytes_read += got;
        if (state_->drops) state_->drop(state_->passed.add({physical, from, got}));
        if (got == size) return;
        throw changed(opened->path(), fmt::format("it ends at {}, before at {}", from + got,
                                                  state_->physical_at(physical).state.size));
      });
}

void InputFiles::will_need(uint32_t id, uint64_t offset, uint64_t size) const {
  const Logical& file = state_->file(id);
  if (offset >= file.size) return;
  state_->for_each_part(file, offset, std::min(size, file.size - offset),
                        [&](uint32_t physical, uint64_t from, uint64_t, uint64_t part) {
                          state_->cache.get(physical)->will_need(from, part);
                        });
}

void InputFiles::drop_behind() const { state_->drops = true; }

void InputFiles::require_unchanged() const {
  uint32_t count = 0;
  {
    const std::shared_lock lock(state_->mutex);
    count = static_cast<uint32_t>(state_->physicals.size());
  }
  for (uint32_t i = 0; i < count; ++i) {
    const Physical& physical = state_->physical_at(i);
    require_same(physical.path, state_now(physical.path), physical.state);
  }
}

std::vector<SourceState> InputFiles::states() const {
  const std::shared_lock lock(state_->mutex);
  std::vector<SourceState> states;
  for (const Physical& physical : state_->physicals) {
    states.push_back(
        {fs::canonical(physical.path).string(), physical.state.size, physical.state.mtime_ns});
  }
  return states;
}

uint64_t InputFiles::opens() const { return state_->opens; }
uint64_t InputFiles::bytes_read() const { return state_->bytes_read; }

}  // namespace ckptbridge
