#include "plugins/nemo2/zarr_array.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ckptbridge/error.hpp"
#include "core/text/json_object.h"

namespace ckptbridge::nemo2 {
namespace {

using Sizes = std::vector<std::int64_t>;

constexpr std::size_t kMaxDims = 64;
constexpr auto kMaxSize = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

struct ZarrName {
  Dtype dtype;
  std::string_view name;
};
// numpy's names, and Megatron's for bfloat16.
constexpr ZarrName kNames[] = {
    {kBFloat16, "bfloat16"}, {kFloat64, "<f8"},   {kFloat32, "<f4"},     {kFloat16, "<f2"},
    {kInt64, "<i8"},         {kInt32, "<i4"},     {kInt16, "<i2"},       {kInt8, "|i1"},
    {kUInt64, "<u8"},        {kUInt32, "<u4"},    {kUInt16, "<u2"},      {kUInt8, "|u1"},
    {kBool, "|b1"},          {kComplex64, "<c8"}, {kComplex128, "<c16"},
};

Sizes read_sizes(JsonObject& members, const char* name, std::int64_t least) {
  Sizes sizes = members.sizes(name, least);
  if (sizes.size() > kMaxDims) members.expected(name, fmt::format("at most {} sizes", kMaxDims));
  return sizes;
}

Dtype read_dtype(JsonObject& members) {
  const Json& text = members.get("dtype");
  for (const ZarrName& known : kNames) {
    if (text == known.name) return known.dtype;
  }
  members.expected("dtype", "a type of torch's such as \"bfloat16\" or \"<f4\"", CKB_UNSUPPORTED);
}

void require_countable(const Sizes& sizes, Dtype dtype, const std::string& name) {
  std::uint64_t bytes = item_size(dtype);
  for (const std::int64_t size : sizes) {
    if (!__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes) &&
        bytes <= kMaxSize) {
      continue;
    }
    throw Error(CKB_CORRUPT, fmt::format("{}: {} elements cannot be counted", name, sizes));
  }
}

// As Python's json.dumps with an indent of 4 writes a list of numbers.
std::string list_text(const Sizes& sizes) {
  if (sizes.empty()) return "[]";
  return fmt::format("[\n        {}\n    ]", fmt::join(sizes, ",\n        "));
}

}  // namespace

std::uint64_t ZarrArray::chunk_size() const {
  std::uint64_t size = item_size(dtype);
  for (const std::int64_t n : chunks) size *= static_cast<std::uint64_t>(n);
  return size;
}

Sizes ZarrArray::grid() const {
  Sizes counts;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    counts.push_back(shape[i] / chunks[i] + (shape[i] % chunks[i] > 0 ? 1 : 0));
  }
  return counts;
}

Sizes ZarrArray::strides() const {
  Sizes result(chunks.size());
  std::int64_t step = 1;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const std::size_t dim = is_column_major ? i : chunks.size() - 1 - i;
    result[dim] = step;
    step *= chunks[dim];
  }
  return result;
}

std::string ZarrArray::chunk_name(const Sizes& position) const {
  if (position.empty()) return "0";
  return fmt::format("{}", fmt::join(position, std::string(1, separator)));
}

std::string zarray_text(const ZarrArray& array, const std::string& name) {
  for (const ZarrName& known : kNames) {
    if (!(known.dtype == array.dtype)) continue;
    return fmt::format(
        R"({{
    "chunks": {},
    "compressor": null,
    "dtype": "{}",
    "fill_value": null,
    "filters": null,
    "order": "C",
    "shape": {},
    "zarr_format": 2
}})",
        list_text(array.chunks), known.name, list_text(array.shape));
  }
  throw Error(
      CKB_UNSUPPORTED,
      fmt::format("{}: zarr checkpoints have no name for {}", name, dtype_name(array.dtype)),
      {.tensor = name});
}

ZarrArray parse_zarray(std::string_view text, const std::string& name) {
  const Json whole = Json::parse(text, name);
  JsonObject members(whole, name);
  if (members.get("zarr_format") != 2) members.expected("zarr_format", "2", CKB_UNSUPPORTED);
  for (const char* member : {"compressor", "filters"}) {
    if (members.get(member).is_null()) continue;
    members.expected(member, "null: Megatron never compresses, and compressed chunks are not read",
                     CKB_UNSUPPORTED);
  }
  ZarrArray array;
  array.dtype = read_dtype(members);
  array.shape = read_sizes(members, "shape", 0);
  // An array without elements has no chunks, of whatever size.
  const bool is_empty = std::ranges::count(array.shape, 0) > 0;
  array.chunks = read_sizes(members, "chunks", is_empty ? 0 : 1);
  if (array.shape.size() != array.chunks.size()) {
    members.expected("chunks", fmt::format("{} sizes", array.shape.size()));
  }
  require_countable(array.shape, array.dtype, name);
  require_countable(array.chunks, array.dtype, name);
  const std::string order = members.string("order");
  if (order != "C" && order != "F") members.expected("order", "\"C\" or \"F\"");
  array.is_column_major = order == "F";
  if (members.find("dimension_separator") != nullptr) {
    const std::string separator = members.string("dimension_separator");
    if (separator != "." && separator != "/") {
      members.expected("dimension_separator", "\".\" or \"/\"");
    }
    array.separator = separator[0];
  }
  return array;
}

bool advance(Sizes& position, const Sizes& grid) {
  for (std::size_t i = position.size(); i-- > 0;) {
    if (++position[i] < grid[i]) return true;
    position[i] = 0;
  }
  return false;
}

}  // namespace ckptbridge::nemo2
