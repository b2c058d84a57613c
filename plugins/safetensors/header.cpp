#include "plugins/safetensors/header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace ckptbridge::safetensors {
namespace {

using nlohmann::json;

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

std::string json_text(std::string_view text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

// Follows the JSON as it is read, so that a header of 100 MB is held once.
class Parser : public nlohmann::json_sax<json> {
 public:
  explicit Parser(const std::string& file) : file_(file) {}

  Header take() { return std::move(header_); }

  bool start_object(std::size_t) override {
    if (depth_ == 0) {
      depth_ = 1;
    } else if (depth_ == 1) {
      depth_ = 2;
      keys_.clear();
    } else {
      refuse("a value is an object");
    }
    return true;
  }

  bool key(std::string& key) override {
    if (depth_ == 1) {
      name_ = key;
      if (!names_.insert(key).second) refuse("is there twice");
      if (key.find('\0') != std::string::npos) refuse("the name has a NUL in it");
      if (key != kMetadata) header_.entries.push_back({key, {}, {}, 0, 0});
    } else {
      member_ = key;
      if (!keys_.insert(key).second) refuse(json_text(key) + " is there twice");
      if (name_ != kMetadata && key != "dtype" && key != "shape" && key != "data_offsets") {
        refuse("unknown member " + json_text(key));
      }
    }
    return true;
  }

  bool end_object() override {
    if (depth_ == 2 && name_ != kMetadata) {
      for (const char* member : {"dtype", "shape", "data_offsets"}) {
        if (!keys_.contains(member)) refuse(fmt::format("has no \"{}\"", member));
      }
    }
    --depth_;
    return true;
  }

  bool string(std::string& text) override {
    if (depth_ == 2 && name_ == kMetadata) {
      header_.metadata.emplace_back(member_, text);
    } else if (depth_ == 2 && member_ == "dtype") {
      header_.entries.back().dtype = dtype_of(text);
    } else {
      refuse_value("text");
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (depth_ != 2 || name_ == kMetadata || member_ == "dtype") refuse_value("a list");
    depth_ = 3;
    numbers_.clear();
    return true;
  }

  bool number_unsigned(std::uint64_t number) override {
    if (depth_ != 3) refuse_value("a number");
    if (number > std::numeric_limits<std::int64_t>::max()) {
      refuse(fmt::format("{} in {} is too large", number, member_));
    }
    numbers_.push_back(number);
    return true;
  }

  bool end_array() override {
    depth_ = 2;
    Entry& entry = header_.entries.back();
    if (member_ == "shape") {
      entry.shape.assign(numbers_.begin(), numbers_.end());
    } else if (numbers_.size() != 2) {
      refuse(fmt::format("data_offsets are {} numbers, expected 2", numbers_.size()));
    } else {
      entry.begin = numbers_[0];
      entry.end = numbers_[1];
    }
    return true;
  }

  bool null() override { return refuse_value("null"); }
  bool boolean(bool) override { return refuse_value("a boolean"); }
  bool number_integer(std::int64_t) override { return refuse_value("a negative number"); }
  bool number_float(double, const std::string&) override {
    return refuse_value("a number that is not whole");
  }
  bool binary(json::binary_t&) override { return refuse_value("binary"); }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    throw Error(CKB_CORRUPT, fmt::format("{}: the header is not JSON at its byte {}: {}", file_,
                                         position, error.what()));
  }

 private:
  [[noreturn]] void refuse(const std::string& problem) const {
    throw Error(CKB_CORRUPT, fmt::format("{}: {}: {}", file_,
                                         names_.empty() ? "header" : json_text(name_), problem));
  }

  [[noreturn]] bool refuse_value(const char* what) const {
    if (depth_ < 2) refuse(fmt::format("is {}, expected an object", what));
    refuse(fmt::format("{} is {}", json_text(member_), what));
  }

  Dtype dtype_of(const std::string& text) const {
    for (const auto& [name, dtype] : kDtypes) {
      if (name == text) return dtype;
    }
    if (text.starts_with("F4") || text.starts_with("F6")) {
      throw Error(CKB_UNSUPPORTED,
                  fmt::format("{}: {}: {} elements share bytes, which is not supported", file_,
                              json_text(name_), text),
                  {.tensor = name_});
    }
    refuse(fmt::format("unknown dtype {}", json_text(text)));
  }

  const std::string& file_;
  Header header_;
  int depth_ = 0;  // 1: the header; 2: a tensor or the metadata; 3: a list
  std::string name_;
  std::string member_;
  std::set<std::string> names_;
  std::set<std::string> keys_;  // of the object at depth 2
  std::vector<std::uint64_t> numbers_;
};

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
  Parser parser(file);
  json::sax_parse(text.begin(), text.end(), &parser);
  Header header = parser.take();
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
