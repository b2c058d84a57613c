#include "core/plan/coverage.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/graph/byte_runs.h"
#include "core/graph/lowering.h"

namespace ckptbridge {
namespace {

// Why bytes are accounted for: used, checked, or dropped for reason number why - kDropped.
enum : std::size_t { kUsed = 0, kChecked = 1, kDropped = 2 };

// One run of a value, or one interval. A large checkpoint has millions: loops, which few of them
// have, are kept elsewhere.
struct Account {
  std::uint64_t begin;
  std::uint64_t size;
  ckb_file file;
  std::uint32_t why;
  std::uint32_t loops;  // which loops; 0: none
};

class Accounts {
 public:
  explicit Accounts(const Arena& arena) : arena_(arena) {}

  void add(ckb_node value, std::size_t why) {
    const Nodes& nodes = arena_.nodes;
    lower(nodes, value, 0, nodes.count(value), [&](const Run& run) {
      if (nodes.op(run.leaf) == Op::kExtent) add(nodes.file(run.leaf), ByteRun::of(run), why);
    });
  }

  void add(ckb_file file, const Interval& bytes, std::size_t why) {
    add(file, ByteRun{bytes.begin, bytes.end - bytes.begin, {}}, why);
  }

  // By file and place, which is the order of the storages.
  const std::vector<Account>& sorted() {
    std::sort(accounts_.begin(), accounts_.end(), [](const Account& a, const Account& b) {
      return a.file != b.file ? a.file < b.file : a.begin < b.begin;
    });
    return accounts_;
  }

  void expand(const Account& account, std::vector<Interval>& out) const {
    ByteRun{account.begin, account.size, loops_[account.loops]}.expand(out);
  }

 private:
  void add(ckb_file file, const ByteRun& bytes, std::size_t why) {
    Account account{bytes.begin, bytes.size, file, static_cast<std::uint32_t>(why), 0};
    if (!bytes.loops.empty()) {
      account.loops = static_cast<std::uint32_t>(loops_.size());
      loops_.push_back(bytes.loops);
    }
    accounts_.push_back(account);
  }

  const Arena& arena_;
  std::vector<Account> accounts_;
  std::vector<ByteRun::Loops> loops_ = std::vector<ByteRun::Loops>(1);
};

// Numbers reasons in the order of their first use.
class Reasons {
 public:
  explicit Reasons(Coverage& coverage) : coverage_(coverage) {}

  std::size_t operator()(const std::string& reason) {
    const auto [it, added] = index_.emplace(reason, coverage_.dropped.size());
    if (added) coverage_.dropped.push_back({reason});
    ++coverage_.dropped[it->second].values;
    return kDropped + it->second;
  }

 private:
  Coverage& coverage_;
  std::map<std::string, std::size_t> index_;
};

[[noreturn]] void fail_uncovered(const Graph& read, ckb_file file, const Storage& storage,
                                 const Interval& missing, std::uint64_t bytes) {
  const Nodes& nodes = read.arena().nodes;
  const std::string& name = read.arena().sources.name(file);
  const std::string place = fmt::format("{}: {} bytes of tensor data at [{}, {})", name, bytes,
                                        missing.begin, missing.end);
  if (storage.extents.empty()) {
    throw Error(CKB_INTERNAL, place + " belong to no tensor: the reader forgot them",
                {.file = name});
  }
  for (const Tensor& tensor : read.tensors()) {
    bool touches = false;
    lower(nodes, tensor.value, 0, nodes.count(tensor.value), [&](const Run& run) {
      if (nodes.op(run.leaf) != Op::kExtent || nodes.file(run.leaf) != file) return;
      std::vector<Interval> intervals;
      ByteRun::of(run).expand(intervals);
      for (const Interval& interval : intervals) {
        touches = touches || (interval.begin < missing.end && missing.begin < interval.end);
      }
    });
    if (touches) {
      throw Error(CKB_INTERNAL,
                  fmt::format("{}, of tensor {} (model-parallel rank {}), are "
                              "neither used nor checked nor dropped with a reason",
                              place, tensor.name, tensor.mp_rank),
                  {.file = name, .tensor = tensor.name});
    }
  }
  throw Error(CKB_INTERNAL, place + " are neither used nor checked nor dropped with a reason",
              {.file = name});
}

}  // namespace

Coverage require_coverage(const Graph& read, const Layout& layout) {
  Arena& arena = read.arena();
  Coverage coverage;
  Accounts accounts(arena);
  for (const OutputFile& file : layout.files()) {
    for (const Segment& segment : file.segments) {
      if (segment.content == Content::kValue) {
        accounts.add(static_cast<ckb_node>(segment.index), kUsed);
      }
    }
  }
  for (const Expectation& expectation : arena.expectations) {
    accounts.add(expectation.kept, kChecked);
    accounts.add(expectation.other, kChecked);
  }
  Reasons reasons(coverage);
  for (const Drop& drop : arena.drops) accounts.add(drop.value, reasons(drop.reason));
  for (const ObjectDrop& drop : arena.object_drops) {
    for (const Object& object : read.objects()) {
      if (object.name != drop.name) continue;
      for (const ckb_node storage : object.storages) {
        if (arena.nodes.count(storage) > 0) accounts.add(storage, reasons(drop.reason));
      }
    }
  }
  for (const UntouchedDrop& drop : arena.untouched_drops) {
    const std::size_t why = reasons(drop.reason);
    for (const Interval& bytes : drop.bytes) accounts.add(drop.file, bytes, why);
  }

  const std::vector<Account>& sorted = accounts.sorted();
  std::size_t next = 0;
  for (const auto& storage : arena.storages.all()) {
    const auto& [file, offset] = storage.first;
    coverage.declared += storage.second.size;
    std::map<std::size_t, std::vector<Interval>> by_reason;
    for (; next < sorted.size() && sorted[next].file == file &&
           sorted[next].begin < offset + storage.second.size;
         ++next) {
      accounts.expand(sorted[next], by_reason[sorted[next].why]);
    }
    std::vector<Interval> covered;
    std::uint64_t so_far = 0;
    std::uint64_t needed = 0;
    for (auto& [why, intervals] : by_reason) {
      covered.insert(covered.end(), intervals.begin(), intervals.end());
      covered = united(std::move(covered));
      const std::uint64_t more = total(covered) - so_far;
      so_far += more;
      if (why < kDropped) needed += more;
      (why == kUsed      ? coverage.used
       : why == kChecked ? coverage.checked
                         : coverage.dropped[why - kDropped].bytes) += more;
    }
    const auto missing = complement(covered, offset, offset + storage.second.size);
    if (!missing.empty()) {
      fail_uncovered(read, file, storage.second, missing.front(), total(missing));
    }
    if (!is_little(storage.second.size - needed, storage.second.size)) {
      coverage.partly_needed.push_back(storage.first);
    }
  }
  return coverage;
}

}  // namespace ckptbridge
