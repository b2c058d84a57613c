#include "core/commit/same_output.h"

#include <cstring>
#include <set>
#include <string>

#include <boost/filesystem/operations.hpp>

#include "core/disk/file_cache.h"
#include "core/execute/output_checksums.h"
#include "core/execute/value_reader.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;

struct Different {};

bool has_names_and_sizes(const Layout& layout, const fs::path& folder, bool shared) {
  std::set<std::string> known;
  for (const OutputFile& file : layout.files()) {
    const fs::path path = folder / file.path;
    if (fs::symlink_status(path).type() != fs::regular_file || fs::file_size(path) != file.size) {
      return false;
    }
    for (fs::path at = file.path; !at.empty(); at = at.parent_path()) known.insert(at.string());
  }
  if (shared) return true;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (known.count(entry.path().lexically_relative(folder).string()) == 0) return false;
  }
  return true;
}

class OutputComparison {
 public:
  OutputComparison(const Arena& arena, const Layout& layout, const Plan& plan,
                   const fs::path& folder)
      : arena_(arena),
        layout_(layout),
        plan_(plan),
        checksums_(layout),
        files_(0, [=, &layout](std::uint32_t file) {
          return File::open_to_read(folder / layout.files()[file].path);
        }) {}

  // One worker's buffers.
  struct Worker {
    ValueReader reader;
    std::vector<std::byte> expected;
    std::vector<std::byte> found;
  };
  Worker make_worker() const { return {ValueReader(arena_, plan_.buffers.scratch_size()), {}, {}}; }

  std::uint64_t compare_task(std::uint64_t number, Worker& worker) {
    std::uint64_t size = 0;
    for (const OutputRange& range : plan_.task(number)) {
      compare(range, worker);
      size += range.size;
    }
    return size;
  }

  void compare_checksums() {
    for (std::uint32_t i = 0; i < layout_.files().size(); ++i) {
      for (const Segment& segment : layout_.files()[i].segments) {
        if (segment.content != Content::kChecksum) continue;
        std::uint32_t found = 0;
        const auto bytes = std::as_writable_bytes(std::span(&found, 1));
        if (files_.get(i)->read_at(segment.offset, bytes) != bytes.size() ||
            found != checksums_.value(i, segment.index)) {
          throw Different();
        }
      }
    }
  }

 private:
  void compare(const OutputRange& range, Worker& worker) {
    const Segment& segment = layout_.files()[range.file].segments[range.segment];
    if (segment.content == Content::kChecksum) return;
    const std::uint64_t skipped = range.begin - segment.offset;
    worker.expected.assign(range.size, std::byte{0});
    worker.found.resize(range.size);
    if (segment.content == Content::kBytes) {
      std::memcpy(worker.expected.data(), layout_.bytes(segment).data() + skipped, range.size);
    } else if (segment.content == Content::kValue) {
      const auto value = static_cast<ckb_node>(segment.index);
      const std::uint64_t item = arena_.nodes.item(value);
      worker.reader.read(value, skipped / item, range.size / item, worker.expected);
    }
    checksums_.add(checksum_parts(layout_, range.file, range.begin, worker.expected));
    if (files_.get(range.file)->read_at(range.begin, worker.found) != range.size ||
        worker.found != worker.expected) {
      throw Different();
    }
  }

  const Arena& arena_;
  const Layout& layout_;
  const Plan& plan_;
  OutputChecksums checksums_;
  FileCache files_;
};

}  // namespace

bool holds_output(const Arena& arena, const Layout& layout, const Plan& plan,
                  const fs::path& folder, bool shared, const Feedback& feedback) {
  if (!has_names_and_sizes(layout, folder, shared)) return false;
  OutputComparison comparison(arena, layout, plan, folder);
  const auto make_worker = [&] {
    return [&, worker = comparison.make_worker()](std::uint64_t number) mutable {
      return comparison.compare_task(number, worker);
    };
  };
  try {
    run_workers(plan.buffers.threads, plan.task_count(), make_worker, "compare",
                layout.total_size(), feedback);
    comparison.compare_checksums();
  } catch (const Different&) {
    return false;
  }
  return true;
}

}  // namespace ckptbridge
