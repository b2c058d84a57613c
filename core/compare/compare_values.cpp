#include "core/compare/compare_values.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <mutex>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "core/bytes/float_cast.h"
#include "core/execute/value_reader.h"
#include "core/plan/reading_order.h"
#include "core/plan/value_cuts.h"

namespace ckptbridge {
namespace {

// A range of the elements of one pair, and the source that decides its place among the others.
struct Piece {
  std::size_t pair;
  std::uint64_t begin;
  std::uint64_t count;
  ckb_file file;
  std::uint64_t source;
};

// Cuts pairs where the sources of either value change, and orders the pieces so that each source
// file is read in one go: replicas of a ZeRO-3 checkpoint lie in pieces over all of its files.
class Pieces {
 public:
  Pieces(const Arena& kept, const Arena& other, std::uint64_t most)
      : kept_(kept), other_(other), most_(most) {}

  void add(std::size_t index, const ValuePair& pair) {
    const std::vector<Cut> kept = cuts(kept_, pair.kept);
    const std::vector<Cut> other = cuts(other_, pair.other);
    const std::uint64_t item = kept_.nodes.item(pair.kept);
    const std::uint64_t size = kept_.nodes.size(pair.kept);
    std::size_t k = 0;
    std::size_t o = 0;
    for (std::uint64_t begin = 0; begin < size;) {
      while (kept[k].begin + kept[k].size <= begin) ++k;
      while (other[o].begin + other[o].size <= begin) ++o;
      const std::uint64_t end =
          std::min(kept[k].begin + kept[k].size, other[o].begin + other[o].size);
      // Files of two arenas have nothing to do with each other.
      if (&kept_ == &other_) groups_.add(kept[k].file, other[o].file, end - begin);
      pieces_.push_back(
          {index, begin / item, (end - begin) / item, kept[k].file, kept[k].source_begin});
      begin = end;
    }
  }

  // In the order of reading.
  std::vector<Piece> sorted() && {
    sort_for_reading(pieces_, groups_,
                     [](const Piece& piece) { return std::tuple(piece.pair, piece.begin); });
    return std::move(pieces_);
  }

 private:
  std::vector<Cut> cuts(const Arena& arena, ckb_node value) {
    std::vector<Cut> result;
    FileGroups& groups = &arena == &kept_ ? groups_ : unused_;
    cut(
        arena.nodes, value, most_, [&](const Cut& part) { result.push_back(part); }, groups);
    return result;
  }

  const Arena& kept_;
  const Arena& other_;
  const std::uint64_t most_;
  std::vector<Piece> pieces_;
  FileGroups groups_;
  FileGroups unused_;
};

std::string element_text(Dtype dtype, const std::byte* element) {
  if (dtype == kFloat64 || can_convert(dtype, kFloat64)) {
    double value = 0;
    if (dtype == kFloat64) {
      std::memcpy(&value, element, sizeof(value));
    } else {
      convert(dtype, kFloat64, element, reinterpret_cast<std::byte*>(&value), 1);
    }
    return fmt::format("{:.9g}", value);
  }
  std::string text = "0x";
  for (std::size_t i = item_size(dtype); i-- > 0;) {
    text += fmt::format("{:02x}", std::to_integer<unsigned>(element[i]));
  }
  return text;
}

// Adds the elements of a piece that differ.
void count_differences(Dtype dtype, std::span<const std::byte> kept,
                       std::span<const std::byte> other, std::uint64_t begin,
                       ValueDifference& difference) {
  const std::size_t item = item_size(dtype);
  for (std::size_t i = 0; i < kept.size(); i += item) {
    if (std::memcmp(kept.data() + i, other.data() + i, item) == 0) continue;
    ++difference.count;
    if (begin + i / item >= difference.first) continue;
    difference.first = begin + i / item;
    difference.kept = element_text(dtype, kept.data() + i);
    difference.other = element_text(dtype, other.data() + i);
  }
}

}  // namespace

std::vector<ValueDifference> compare_values(
    const Arena& kept, const Arena& other, std::span<const ValuePair> pairs, const Buffers& buffers,
    const std::string& stage, const Feedback& feedback,
    const std::function<std::string(std::size_t)>& name_of) {
  Pieces cuts(kept, other, buffers.task_size);
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const ckb_node value = pairs[i].kept;
    assert(kept.nodes.dtype(value) == other.nodes.dtype(pairs[i].other));
    assert(kept.nodes.count(value) == other.nodes.count(pairs[i].other));
    cuts.add(i, pairs[i]);
    total += kept.nodes.size(value);
  }
  const std::vector<Piece> pieces = std::move(cuts).sorted();
  std::vector<ValueDifference> differences(pairs.size());
  if (pieces.empty()) return differences;

  std::mutex mutex;
  const auto make_worker = [&] {
    return
        [&, kept_reader = ValueReader(kept, buffers.scratch_size_of_two()),
         other_reader = ValueReader(other, buffers.scratch_size_of_two()),
         kept_buffer = std::vector<std::byte>(buffers.task_size),
         other_buffer = std::vector<std::byte>(buffers.task_size)](std::uint64_t number) mutable {
          const auto& [index, begin, count, file, source] = pieces[number];
          const Dtype dtype = kept.nodes.dtype(pairs[index].kept);
          const std::size_t size = count * kept.nodes.item(pairs[index].kept);
          const auto kept_bytes = std::span(kept_buffer).first(size);
          const auto other_bytes = std::span(other_buffer).first(size);
          kept_reader.read(pairs[index].kept, begin, count, kept_bytes);
          other_reader.read(pairs[index].other, begin, count, other_bytes);
          if (std::memcmp(kept_bytes.data(), other_bytes.data(), size) == 0)
            return std::uint64_t{size};
          const std::scoped_lock lock(mutex);
          count_differences(dtype, kept_bytes, other_bytes, begin, differences[index]);
          return std::uint64_t{size};
        };
  };
  run_workers(buffers.threads, pieces.size(), make_worker, stage, total, feedback,
              [&](std::uint64_t number) { return name_of ? name_of(pieces[number].pair) : ""; });
  return differences;
}

std::string index_text(std::uint64_t linear, std::span<const std::int64_t> shape) {
  std::vector<std::int64_t> index(shape.size());
  for (std::size_t i = shape.size(); i-- > 0;) {
    index[i] = static_cast<std::int64_t>(linear % static_cast<std::uint64_t>(shape[i]));
    linear /= static_cast<std::uint64_t>(shape[i]);
  }
  return shape_text(index);
}

std::string difference_text(const ValueDifference& difference, const Nodes& nodes,
                            const ValuePair& pair) {
  return fmt::format("{} of {} elements differ, first {}: {} against {}", difference.count,
                     nodes.count(pair.kept), index_text(difference.first, nodes.shape(pair.kept)),
                     difference.other, difference.kept);
}

}  // namespace ckptbridge
