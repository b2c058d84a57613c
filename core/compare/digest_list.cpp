#include "core/compare/digest_list.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/compare/tensor_digests.h"
#include "core/text/json_object.h"

namespace ckptbridge {
namespace {

constexpr const char* kMark = "ckptbridge_digests";
constexpr std::int64_t kVersion = 1;
constexpr const char* kDigest = "xxh3-128";
constexpr std::size_t kDigits = 32;

Json entry_json(const DigestEntry& entry) {
  Json result = {{"name", entry.name},
                 {"role", entry.role},
                 {"dtype", dtype_name(entry.form.dtype)},
                 {"shape", entry.form.shape},
                 {"digest", entry.digest}};
  if (entry.mp_world_size > 1) {
    result["mp_rank"] = entry.mp_rank;
    result["mp_world_size"] = entry.mp_world_size;
  }
  return result;
}

bool is_digest(const std::string& text) {
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

DigestEntry parse_entry(JsonObject& object) {
  DigestEntry entry;
  entry.name = object.string("name");
  entry.role = object.string("role");
  entry.digest = object.string("digest");
  const std::string dtype = object.string("dtype");
  if (!parse_dtype(dtype, entry.form.dtype)) {
    object.expected("dtype", "a type such as \"bfloat16\"");
  }
  if (!is_digest(entry.digest)) {
    object.expected("digest", fmt::format("{} hexadecimal digits", kDigits));
  }
  entry.form.shape = object.sizes("shape");
  checked_count(entry.form.shape, entry.form.dtype, object.where());
  if (object.find("mp_world_size") != nullptr) {
    const std::int64_t rank = object.integer("mp_rank");
    const std::int64_t world = object.integer("mp_world_size");
    if (world < 1 || world > INT32_MAX || rank < 0 || rank >= world) {
      throw Error(CKB_CORRUPT, fmt::format("{}: model-parallel rank {} of {}, expected one of 0 to "
                                           "mp_world_size - 1",
                                           object.where(), rank, world));
    }
    entry.mp_rank = static_cast<std::int32_t>(rank);
    entry.mp_world_size = static_cast<std::int32_t>(world);
  }
  return entry;
}

}  // namespace

DigestList make_digest_list(const Graph& whole, const Buffers& buffers, const Feedback& feedback) {
  DigestList list;
  const auto names = whole.properties().find("names");
  if (names != whole.properties().end()) list.names = names->second;
  const auto tensors = logical_tensors(whole);
  const auto digests = digests_of(whole.arena(), tensors, buffers, feedback);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    list.tensors.push_back({tensors[i], digests[i]});
  }
  return list;
}

std::string digest_list_json(const DigestList& list, const std::string& version) {
  Json tensors = Json::array();
  for (const DigestEntry& entry : list.tensors) tensors.push_back(entry_json(entry));
  const Json whole = {{kMark, kVersion},
                      {"written_by", version},
                      {"digest", kDigest},
                      {"names", list.names},
                      {"tensors", tensors}};
  return whole.dump(1) + "\n";
}

DigestList parse_digest_list(const std::string& text, const std::string& where) {
  const Json whole = Json::parse(text, where);
  JsonObject object(whole, where);
  if (object.find(kMark) == nullptr) {
    throw Error(CKB_CORRUPT, fmt::format("{}: is not a list of digests, which `ckptbridge convert "
                                         "--manifest` writes: it has no \"{}\"",
                                         where, kMark));
  }
  if (const auto version = object.integer(kMark); version != kVersion) {
    throw Error(CKB_UNSUPPORTED, fmt::format("{}: is of version {}, this program reads version {}",
                                             where, version, kVersion));
  }
  if (const std::string digest = object.string("digest"); digest != kDigest) {
    throw Error(CKB_UNSUPPORTED,
                fmt::format("{}: digests are {}, expected {}", where, digest, kDigest));
  }
  DigestList list;
  list.names = object.string_or("names", "");
  for (JsonObject& tensor : object.objects("tensors")) list.tensors.push_back(parse_entry(tensor));
  const auto key = [](const DigestEntry& entry) {
    return std::tie(entry.name, entry.role, entry.mp_rank);
  };
  std::vector<DigestEntry>& entries = list.tensors;
  std::sort(entries.begin(), entries.end(),
            [&](const auto& a, const auto& b) { return key(a) < key(b); });
  const auto twice =
      std::adjacent_find(entries.begin(), entries.end(),
                         [&](const auto& a, const auto& b) { return key(a) == key(b); });
  if (twice != entries.end()) {
    throw Error(CKB_CORRUPT,
                fmt::format("{}: tensor {} of role {} (model-parallel rank {}) is listed twice",
                            where, twice->name, twice->role, twice->mp_rank),
                {.tensor = twice->name});
  }
  return list;
}

}  // namespace ckptbridge
