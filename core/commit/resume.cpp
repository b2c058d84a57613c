#include "core/commit/resume.h"

#include <algorithm>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/bytes/xxh3.h"
#include "core/commit/same_output.h"
#include "core/text/quantities.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;

// A digest of numbers and texts, in the order in which they come.
class PlanDigest {
 public:
  void bytes(const void* data, std::size_t size) {
    number(size);
    hash_.add({static_cast<const std::byte*>(data), size});
  }
  void number(std::uint64_t value) { hash_.add(std::as_bytes(std::span(&value, 1))); }
  std::string text() const { return hash_.text(); }

 private:
  Hash hash_;
};

void add_nodes(const Nodes& nodes, PlanDigest& digest) {
  const auto numbers = [&](std::span<const std::int64_t> values) {
    digest.bytes(values.data(), values.size_bytes());
  };
  for (ckb_node node = 1; node <= nodes.node_count(); ++node) {
    digest.number(static_cast<std::uint64_t>(nodes.op(node)));
    const Dtype dtype = nodes.dtype(node);
    digest.bytes(&dtype, sizeof(dtype));
    numbers(nodes.shape(node));
    switch (nodes.op(node)) {
      case Op::kExtent:
        digest.number(nodes.file(node));
        digest.number(nodes.offset(node));
        numbers(nodes.strides(node));
        break;
      case Op::kConstant:
        digest.bytes(nodes.constant(node).data(), nodes.constant(node).size());
        break;
      default:
        digest.bytes(nodes.inputs(node).data(), nodes.inputs(node).size_bytes());
        digest.number(nodes.dim(node));
        digest.number(nodes.begin(node));
        numbers(nodes.permutation(node));
        break;
    }
  }
}

void add_layout(const Layout& layout, PlanDigest& digest) {
  for (const OutputFile& file : layout.files()) {
    digest.bytes(file.path.data(), file.path.size());
    digest.number(file.size);
    digest.number(file.segments.size());
    for (const Segment& segment : file.segments) {
      digest.number(segment.offset);
      digest.number(segment.size);
      digest.number(static_cast<std::uint64_t>(segment.content));
      if (segment.content == Content::kBytes) {
        digest.bytes(layout.bytes(segment).data(), segment.size);
      } else {
        digest.number(segment.index);
      }
    }
    for (const ChecksumRange& range : file.checksums) {
      digest.number(range.begin);
      digest.number(range.size);
    }
  }
}

// What is made, by file, in bytes.
class MadeBytes {
 public:
  MadeBytes(const Layout& layout, const Made& made) : by_file_(layout.files().size()) {
    for (const MadeRange& range : made.ranges) {
      by_file_[range.file].push_back({range.begin, range.begin + range.size});
    }
    for (auto& intervals : by_file_) intervals = united(std::move(intervals));
  }

  bool contains(const OutputRange& range) const {
    const auto& intervals = by_file_[range.file];
    const auto at = std::upper_bound(
        intervals.begin(), intervals.end(), range.begin,
        [](std::uint64_t begin, const Interval& interval) { return begin < interval.end; });
    return at != intervals.end() && at->begin <= range.begin && range.begin + range.size <= at->end;
  }

 private:
  std::vector<std::vector<Interval>> by_file_;
};

// What is taken out of what was made, by file.
class Again {
 public:
  explicit Again(const Layout& layout) : by_file_(layout.files().size()) {}

  void add(std::uint32_t file, std::uint64_t begin, std::uint64_t size) {
    by_file_[file].push_back({begin, begin + size});
  }
  void unite() {
    for (auto& intervals : by_file_) intervals = united(std::move(intervals));
  }
  bool touches(const ChecksumPart& part) const {
    const auto left = complement(by_file_[part.file], part.begin, part.begin + part.size);
    return total(left) != part.size;
  }
  std::vector<Interval> without(const MadeRange& range) const {
    return complement(by_file_[range.file], range.begin, range.begin + range.size);
  }

 private:
  std::vector<std::vector<Interval>> by_file_;
};

bool fits(const Layout& layout, const Made& made) {
  const auto& files = layout.files();
  const auto inside = [&](const auto& piece) {
    return piece.file < files.size() && piece.begin <= files[piece.file].size &&
           piece.size <= files[piece.file].size - piece.begin;
  };
  return std::all_of(made.ranges.begin(), made.ranges.end(), inside) &&
         std::all_of(made.parts.begin(), made.parts.end(), [&](const ChecksumPart& part) {
           return inside(part) && part.range < files[part.file].checksums.size();
         });
}

// Removes from `made` what it says of files that are gone.
void forget_files(Made& made, const std::vector<bool>& has_file) {
  std::erase_if(made.ranges, [&](const MadeRange& range) { return !has_file[range.file]; });
  std::erase_if(made.parts, [&](const ChecksumPart& part) { return !has_file[part.file]; });
}

Error refused(const Staging& staging, const JournalContent& journal,
              const std::string& what_to_do) {
  return {CKB_EXISTS,
          fmt::format("{}: an interrupted run has made {} of {}; {}, or remove {} to "
                      "begin anew",
                      staging.destination().string(), size_text(journal.made.size()),
                      size_text(journal.head.total), what_to_do, staging.partial().string())};
}

// What an interrupted run made, if this run may go on with it.
Made made_before(const Layout& layout, const Identity& identity, bool resume, Staging& staging) {
  if (!staging.is_interrupted()) return {};
  auto journal = read_journal(staging.partial());
  // A folder that was exchanged with an earlier output is not the one that the journal speaks of.
  if (!journal || journal->inode != folder_inode(staging.folder()) || journal->made.size() == 0) {
    staging.restart();
    return {};
  }
  if (!resume) {
    throw refused(staging, *journal, "the same command with --resume goes on with it");
  }
  std::string changed = difference(journal->head.identity, identity);
  if (changed.empty() && !fits(layout, journal->made)) changed = "its journal is damaged";
  if (changed.empty()) return std::move(journal->made);
  throw refused(staging, *journal,
                fmt::format("this one cannot go on with it ({}): repeat that one", changed));
}

}  // namespace

Identity make_identity(const Chain& chain, const Arena& arena, const Layout& layout) {
  Identity identity;
  identity.version = CKPTBRIDGE_VERSION;
  for (const Step& step : chain.steps) {
    identity.version += fmt::format(", {} {}", step.plugin->id, step.plugin->version);
  }
  PlanDigest digest;
  add_nodes(arena.nodes, digest);
  for (const Expectation& expectation : arena.expectations) {
    digest.number(expectation.kept);
    digest.number(expectation.other);
  }
  add_layout(layout, digest);
  identity.plan = digest.text();
  identity.sources = arena.sources.states();
  return identity;
}

std::string difference(const Identity& before, const Identity& now) {
  if (before.version != now.version) {
    return fmt::format("it was done by {}, this is {}", before.version, now.version);
  }
  for (std::size_t i = 0; i < std::min(before.sources.size(), now.sources.size()); ++i) {
    const SourceState& old = before.sources[i];
    const SourceState& current = now.sources[i];
    if (old.path != current.path) {
      return fmt::format("it read {}, this reads {}", old.path, current.path);
    }
    if (old.size != current.size) {
      return fmt::format("{} had {} bytes then, and has {} now", old.path, old.size, current.size);
    }
    if (old.mtime_ns != current.mtime_ns) {
      return fmt::format("{} was written to since", old.path);
    }
  }
  if (before.sources.size() != now.sources.size()) {
    return fmt::format("it read {} files, this reads {}", before.sources.size(),
                       now.sources.size());
  }
  if (before.plan != now.plan) return "its options were others";
  return "";
}

// A part of a checksum cannot be cut: where a task makes some of it again, the rest of it is made
// again too, by whichever tasks do that. By the same plan, the first round is the last.
Plan remaining(const Plan& plan, const Layout& layout, Made& made) {
  std::vector<bool> is_left(plan.task_count());
  for (bool changed = true; changed;) {
    changed = false;
    const MadeBytes bytes(layout, made);
    Again again(layout);
    for (std::uint64_t i = 0; i < plan.task_count(); ++i) {
      const auto ranges = plan.task(i);
      is_left[i] = std::any_of(ranges.begin(), ranges.end(),
                               [&](const OutputRange& range) { return !bytes.contains(range); });
      if (!is_left[i]) continue;
      for (const OutputRange& range : ranges) again.add(range.file, range.begin, range.size);
    }
    again.unite();
    for (const ChecksumPart& part : made.parts) {
      if (!again.touches(part)) continue;
      again.add(part.file, part.begin, part.size);
      changed = true;
    }
    again.unite();
    std::erase_if(made.parts, [&](const ChecksumPart& part) { return again.touches(part); });
    std::vector<MadeRange> kept;
    for (const MadeRange& range : made.ranges) {
      for (const Interval& left : again.without(range)) {
        kept.push_back({range.file, left.begin, left.end - left.begin});
      }
    }
    made.ranges = std::move(kept);
  }

  Plan rest;
  rest.buffers = plan.buffers;
  for (std::uint64_t i = 0; i < plan.task_count(); ++i) {
    if (!is_left[i]) continue;
    const auto ranges = plan.task(i);
    rest.ranges.insert(rest.ranges.end(), ranges.begin(), ranges.end());
    rest.first.push_back(rest.ranges.size());
  }
  return rest;
}

std::optional<std::vector<std::uint64_t>> pairs_to_compare(const Destination& destination,
                                                           const Identity& identity) {
  const fs::path out = resolved(destination.path);
  for (const fs::path& partial : {partial_inside(out, destination.job), partial_beside(out)}) {
    auto journal = read_journal(partial);
    if (journal && journal->head.identity == identity && journal->made.size() > 0) {
      return std::move(journal->head.unequal);
    }
  }
  return std::nullopt;
}

Made begin_output(const Layout& layout, const Identity& identity, bool resume, Staging& staging,
                  OutputFiles& output) {
  const auto& files = layout.files();
  Made made;
  try {
    made = made_before(layout, identity, resume, staging);
    require_space(staging.destination(), layout.total_size() - made.size(), files.size());
  } catch (...) {
    // Nothing was changed, so a later run can go on.
    if (staging.is_interrupted()) staging.keep();
    throw;
  }
  std::vector<bool> has_file(files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    has_file[i] = output.adopt(files[i].path, files[i].size);
    if (!has_file[i]) output.create(files[i].path, files[i].size);
  }
  forget_files(made, has_file);
  return made;
}

bool is_complete(const Arena& arena, const Layout& layout, const Plan& plan,
                 const Destination& destination, const Feedback& feedback) {
  const fs::path out = resolved(destination.path);
  const bool is_shared = !destination.job.empty();
  if (!fs::is_directory(out) || !holds_output(arena, layout, plan, out, is_shared, feedback)) {
    return false;
  }
  clear_interrupted(destination);
  return true;
}

void stop(Journal& journal, Staging& staging, std::uint64_t total) {
  journal.checkpoint();
  if (journal.made() == 0) {
    throw Error(CKB_CANCELLED, "stopped as asked; nothing was made yet, and nothing is left");
  }
  staging.keep();
  throw Error(CKB_CANCELLED,
              fmt::format("stopped as asked; {} of {} are made", size_text(journal.made()),
                          size_text(total)),
              {.hint = "the same command with --resume goes on with them"});
}

}  // namespace ckptbridge
