#include "plugins/safetensors/header.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/text/json_object.h"
#include "core/text/printable.h"

namespace ckptbridge::safetensors {
namespace {

// In the library's own order (enum Dtype), by which it sorts.
constexpr std::array<std::pair<std::string_view, Dtype>, 19> kDtypes{{
    {"BOOL", kBool},
    {"U8", kUInt8},
    {"I8", kInt8},
    {"F8_E5M2", kFloat8E5M2},
    {"F8_E4M3", kFloat8E4M3FN},
    {"F8_E8M0", kFloat8E8M0FNU},
    {"F8_E4M3FNUZ", kFloat8E4M3FNUZ},
    {"F8_E5M2FNUZ", kFloat8E5M2FNUZ},
    {"I16", kInt16},
    {"U16", kUInt16},
    {"F16", kFloat16},
    {"BF16", kBFloat16},
    {"I32", kInt32},
    {"U32", kUInt32},
    {"F32", kFloat32},
    {"C64", kComplex64},
    {"F64", kFloat64},
    {"I64", kInt64},
    {"U64", kUInt64},
}};

std::size_t rank_of(Dtype dtype) {
  const auto found = std::find_if(kDtypes.begin(), kDtypes.end(),
                                  [&](const auto& known) { return known.second == dtype; });
  return static_cast<std::size_t>(found - kDtypes.begin());
}

std::string json_text(std::string_view text) { return Json(text).dump(); }

Dtype dtype_of(JsonObject& tensor, const std::string& name) {
  const std::string text = tensor.string("dtype");
  for (const auto& [known, dtype] : kDtypes) {
    if (known == text) return dtype;
  }
  if (text.starts_with("F4") || text.starts_with("F6")) {
    throw Error(
        CKB_UNSUPPORTED,
        fmt::format("{}: {} elements share bytes, which is not supported", tensor.where(), text),
        {.tensor = name});
  }
  tensor.expected("dtype", "a type such as \"BF16\"");
}

Entry read_entry(std::string name, const Json& value, std::string where) {
  JsonObject tensor(value, std::move(where));
  if (name.find('\0') != std::string::npos) {
    throw Error(CKB_CORRUPT, printable(tensor.where()) + ": the name has a NUL in it");
  }
  const Dtype dtype = dtype_of(tensor, name);
  Entry entry{std::move(name), dtype, tensor.sizes("shape"), 0, 0};
  const std::vector<std::int64_t> offsets = tensor.sizes("data_offsets");
  if (offsets.size() != 2) tensor.expected("data_offsets", "2 numbers");
  entry.begin = static_cast<std::uint64_t>(offsets[0]);
  entry.end = static_cast<std::uint64_t>(offsets[1]);
  tensor.require_all_read();
  return entry;
}

Metadata read_metadata(const Json& value, const std::string& where) {
  const JsonObject object(value, where);
  Metadata metadata;
  for (const auto& [name, text] : value.items()) {
    if (!text.is_string()) object.expected(name, "a string");
    metadata.emplace_back(name, text.text());
  }
  return metadata;
}

// Sorts the names once: a set that grows with each name takes a seventh of the time of the reading.
void require_distinct(const std::vector<Entry>& entries, const std::string& file) {
  std::vector<std::string_view> names;
  names.reserve(entries.size());
  for (const Entry& entry : entries) names.push_back(entry.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return;
  throw Error(CKB_CORRUPT, fmt::format("{}: {}: is given twice", file, *twice));
}

void require_size(const Entry& entry, const std::string& file) {
  std::uint64_t size = item_size(entry.dtype);
  bool overflows = false;
  for (const std::int64_t n : entry.shape) {
    overflows |= __builtin_mul_overflow(size, static_cast<std::uint64_t>(n), &size);
  }
  if (overflows || entry.end < entry.begin || entry.end - entry.begin != size) {
    throw Error(CKB_CORRUPT,
                fmt::format("{}: {}: data_offsets [{}, {}] are not the bytes of [{}] of {}", file,
                            json_text(entry.name), entry.begin, entry.end,
                            fmt::join(entry.shape, ", "), dtype_name(entry.dtype)),
                {.tensor = entry.name});
  }
}

void require_cover(const std::vector<Entry>& entries, std::uint64_t data_size,
                   const std::string& file) {
  std::vector<const Entry*> order;
  order.reserve(entries.size());
  for (const Entry& entry : entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const Entry* a, const Entry* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  std::uint64_t at = 0;
  const Entry* before = nullptr;
  for (const Entry* entry : order) {
    if (entry->begin < at) {
      throw Error(
          CKB_CORRUPT,
          fmt::format("{}: {}: bytes [{}, {}) are those of {}, too", file, json_text(entry->name),
                      entry->begin, entry->end, json_text(before->name)),
          {.tensor = entry->name});
    }
    if (entry->begin > at) {
      throw Error(CKB_CORRUPT, fmt::format("{}: bytes [{}, {}) of the tensors belong to none", file,
                                           at, entry->begin));
    }
    at = entry->end;
    before = entry;
  }
  if (at != data_size) {
    throw Error(CKB_CORRUPT,
                fmt::format("{}: has {} bytes of tensors, its header {}: {}", file, data_size, at,
                            at > data_size ? "the file is cut short" : "something follows them"));
  }
}

}  // namespace

Header parse_header(std::string_view text, std::uint64_t data_size, const std::string& file) {
  if (!text.starts_with('{')) {
    throw Error(CKB_CORRUPT, file + ": the header does not begin with {");
  }
  Header header;
  bool has_metadata = false;
  const auto take = [&](std::string name, const Json& value) {
    std::string where = fmt::format("{}: {}", file, name);
    if (name == kMetadata) {
      if (std::exchange(has_metadata, true)) {
        throw Error(CKB_CORRUPT, where + ": is given twice");
      }
      header.metadata = read_metadata(value, where);
    } else {
      header.entries.push_back(read_entry(std::move(name), value, std::move(where)));
    }
  };
  Json::parse_members(text, file, take, {.allow_nul = true});
  require_distinct(header.entries, file);
  for (const Entry& entry : header.entries) require_size(entry, file);
  require_cover(header.entries, data_size, file);
  return header;
}

std::string header_bytes(const Header& header) {
  std::string text = "{";
  if (!header.metadata.empty()) {
    text += fmt::format("\"{}\":{{", kMetadata);
    for (const auto& [name, value] : header.metadata) {
      text += (text.ends_with('{') ? "" : ",") + json_text(name) + ":" + json_text(value);
    }
    text += "}";
  }
  for (const Entry& entry : header.entries) {
    if (entry.name == kMetadata) {
      throw Error(
          CKB_UNSUPPORTED,
          fmt::format("{}: is the name that safetensors has for facts about a file", entry.name),
          {.tensor = entry.name});
    }
    const std::size_t rank = rank_of(entry.dtype);
    if (rank == kDtypes.size()) {
      throw Error(CKB_UNSUPPORTED,
                  fmt::format("{}: safetensors has no {}", entry.name, dtype_name(entry.dtype)),
                  {.tensor = entry.name});
    }
    text += fmt::format(R"({}{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                        text.size() == 1 ? "" : ",", json_text(entry.name), kDtypes[rank].first,
                        fmt::join(entry.shape, ","), entry.begin, entry.end);
  }
  text += "}";
  text.resize((text.size() + 7) / 8 * 8, ' ');
  if (text.size() > kMostHeaderBytes) {
    throw Error(
        CKB_UNSUPPORTED,
        fmt::format("the names of {} tensors need a header of {} bytes, safetensors allows {}",
                    header.entries.size(), text.size(), kMostHeaderBytes),
        {.hint = "--max-shard-bytes spreads them over several files"});
  }
  std::string out;
  for (unsigned byte = 0; byte < kPrefixBytes; ++byte) {
    out += static_cast<char>(text.size() >> (8 * byte) & 0xff);
  }
  return out + text;
}

void arrange(std::vector<Entry>& entries) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    const auto ranks = std::pair(rank_of(a.dtype), rank_of(b.dtype));
    return ranks.first != ranks.second ? ranks.first > ranks.second : a.name < b.name;
  });
  std::uint64_t at = 0;
  for (Entry& entry : entries) {
    const std::uint64_t size = entry.end - entry.begin;
    entry.begin = at;
    entry.end = at += size;
  }
}

}  // namespace ckptbridge::safetensors
