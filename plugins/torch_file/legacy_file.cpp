#include "plugins/torch_file/legacy_file.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "ckptbridge/error.hpp"
#include "plugins/torch_file/little_endian.h"
#include "plugins/torch_file/lookup.h"
#include "plugins/torch_file/pickle_stream.h"
#include "plugins/torch_file/unpickler.h"

namespace ckptbridge::torch_file {
namespace {

constexpr std::uint64_t kMaxHeaderSize = 4096;
constexpr std::uint64_t kMaxPickleSize = std::uint64_t{1} << 30;
constexpr std::int64_t kProtocol = 1001;
constexpr std::size_t kViewIndex = 5;
// Two's complement as pickles hold it, and as protocols 0 and 1 spell it.
constexpr std::string_view kMagic{"\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19", 10};
constexpr std::string_view kMagicText = "L119547037146038801333356L";
constexpr std::string_view kProtocol2{"\x80\x02\x8A\x0A", 4};

[[noreturn]] void corrupt(const ByteSource& source, const std::string& message) {
  throw Error(CKB_CORRUPT, source.name() + ": " + message);
}

class LegacyReader {
 public:
  explicit LegacyReader(const ByteSource& source) : source_(source) { file_.name = source.name(); }

  TorchFile read() {
    read_header();
    file_.root = next_pickle(file_.values, kMaxPickleSize, "the object");
    normalize_persistent_ids();
    for (Storage& storage : storages_of(file_.values, file_.root, source_.name())) {
      uses_.emplace(storage.key, std::move(storage));
    }
    place_storages();
    place_views();
    return std::move(file_);
  }

 private:
  // A part of a storage, by which old files name it.
  struct View {
    std::string root;
    std::uint64_t offset;  // in elements, as is count
    std::uint64_t count;
  };

  ValueId next_pickle(Values& values, std::uint64_t max_size, const std::string& what) {
    const Bytes data = read_pickle(source_, position_, max_size, what);
    const ValueId root = unpickle(values, data, source_.name() + ": " + what).root;
    position_ += data.size();
    return root;
  }

  void read_header() {
    Values values;
    const ValueId magic = next_pickle(values, kMaxHeaderSize, "the magic number");
    if (values.kind(magic) != Kind::kBigInt ||
        !std::ranges::equal(values.big_integer(magic), std::as_bytes(std::span(kMagic)))) {
      corrupt(source_,
              "this is not a file that torch.save wrote: it does not begin with the magic "
              "number of torch's old format");
    }
    const ValueId protocol = next_pickle(values, kMaxHeaderSize, "the protocol");
    if (values.as_int(protocol) != kProtocol) {
      throw Error(CKB_UNSUPPORTED, source_.name() + ": its protocol is " +
                                       describe(values, protocol) + ", known is " +
                                       std::to_string(kProtocol));
    }
    const ValueId system = next_pickle(values, kMaxHeaderSize, "the facts about its machine");
    const auto little = find(values, system, "little_endian");
    if (little && values.as_bool(*little) == false) {
      throw Error(CKB_UNSUPPORTED,
                  source_.name() + ": it was written on a big-endian machine, which is not read");
    }
    if (!little || values.as_bool(*little) != true) {
      corrupt(source_, "it does not say whether it is little-endian");
    }
  }

  // Makes each persistent id what today's files have: five parts, no views, no modules.
  void normalize_persistent_ids() {
    Values& values = file_.values;
    std::vector<ValueId> all;
    for_each_reachable(values, file_.root, [&](ValueId id) {
      if (values.kind(id) == Kind::kPersistentId) all.push_back(id);
    });
    for (const ValueId id : all) {
      const ValueId pid = values.persistent_id_of(id);
      if (values.kind(pid) != Kind::kTuple || values.elements(pid).size() < 2) continue;
      const auto elements = values.elements(pid);
      std::vector<ValueId> parts(elements.begin(), elements.end());
      if (values.as_string(parts[0]) == "module") {
        values.resolve_persistent_id(id, parts[1]);
      } else if (parts.size() == kViewIndex + 1) {
        if (parts[kViewIndex] != Values::none()) take_view(parts);
        parts.pop_back();
        values.set_persistent_id(id, values.tuple(parts));
      }
    }
  }

  // parts name the root with a view; afterwards the view, as if it were a storage of its own.
  void take_view(std::vector<ValueId>& parts) {
    Values& values = file_.values;
    const std::string key = require_string(values, parts[2], source_.name() + ": a storage's key");
    const std::string where = source_.name() + ": the view of storage '" + key + "'";
    const ValueId view = parts[kViewIndex];
    if (values.kind(view) != Kind::kTuple || values.elements(view).size() != 3) {
      throw Error(CKB_CORRUPT, where + " is " + describe(values, view) +
                                   ", expected None or (key, offset, size)");
    }
    const std::array<ValueId, 3> facts{values.elements(view)[0], values.elements(view)[1],
                                       values.elements(view)[2]};
    const std::string view_key = require_string(values, facts[0], where + ": its key");
    const std::int64_t offset = require_int(values, facts[1], where + ": its offset");
    const std::int64_t count = require_int(values, facts[2], where + ": its size");
    const std::int64_t whole = require_int(values, parts[4], where + ": the storage's size");
    if (offset < 0 || count < 0 || offset > whole || count > whole - offset) {
      throw Error(CKB_CORRUPT, where + " has " + std::to_string(count) + " elements from " +
                                   std::to_string(offset) + " on, the storage has " +
                                   std::to_string(whole));
    }
    if (view_key == key) {
      if (offset != 0 || count != whole) {
        throw Error(CKB_CORRUPT, where + " has the key of the storage, and is only a part of it");
      }
      return;
    }
    const View found{key, static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(count)};
    const auto [known, is_new] = views_.emplace(view_key, found);
    if (!is_new && (known->second.root != found.root || known->second.offset != found.offset)) {
      throw Error(CKB_CORRUPT, where + " with the key '" + view_key + "' is not always the same");
    }
    parts[4] = facts[2];
    // The root is used, though no tensor names it any more.
    auto storage_parts = parts;
    storage_parts[4] = values.integer(whole);
    const Storage root = read_storage(
        values, values.persistent_id(values.tuple(std::span(storage_parts).first(kViewIndex))),
        where);
    const auto [at, is_first] = roots_.emplace(key, root);
    if (!is_first && (at->second.count != root.count || at->second.dtype != root.dtype)) {
      throw Error(CKB_CORRUPT, where + ": the storage is said to have " +
                                   std::to_string(at->second.count) + " and " +
                                   std::to_string(root.count) + " elements, or two types");
    }
    parts[2] = facts[0];
  }

  // What the object says of the storage of a key in the list.
  const Storage& use_of(const std::string& key) const {
    const auto use = uses_.find(key);
    const auto root = roots_.find(key);
    if (root != roots_.end() && use != uses_.end() && root->second.size != use->second.size) {
      corrupt(source_, "storage '" + key + "' is said to have " + std::to_string(use->second.size) +
                           " and " + std::to_string(root->second.size) + " bytes");
    }
    if (root != roots_.end()) return root->second;
    if (use == uses_.end() || views_.contains(key)) {
      corrupt(source_, "it holds storage '" + key + "', which its object does not name");
    }
    return use->second;
  }

  void place_storages() {
    Values keys;
    const ValueId list = next_pickle(keys, kMaxPickleSize, "the list of storages");
    if (keys.kind(list) != Kind::kList) {
      corrupt(source_, "the list of storages is " + describe(keys, list) + ", expected a list");
    }
    for (const ValueId id : keys.elements(list)) {
      const std::string key = require_string(keys, id, source_.name() + ": the list of storages");
      const Storage& storage = use_of(key);
      if (source_.size() - position_ < 8) {
        throw CutShort(source_.name() + ": it ends before storage '" + key + "'; it is cut short");
      }
      const Bytes header = read_range(source_, position_, 8, "the header of storage '" + key + "'");
      const auto count = load<std::uint64_t>(header);
      if (count != storage.count) {
        corrupt(source_, "storage '" + key + "' has " + std::to_string(count) +
                             " elements at byte " + std::to_string(position_) +
                             ", its tensors need " + std::to_string(storage.count));
      }
      position_ += header.size();
      if (storage.size > source_.size() - position_) {
        throw CutShort(source_.name() + ": storage '" + key + "' needs " +
                       std::to_string(storage.size) + " bytes from byte " +
                       std::to_string(position_) + " on, the file has " +
                       std::to_string(source_.size()) + "; it is cut short");
      }
      if (!file_.storages.emplace(key, StorageExtent{position_, storage.size, true, storage.dtype})
               .second) {
        corrupt(source_, "storage '" + key + "' is twice in the list of storages");
      }
      position_ += storage.size;
    }
    for (const auto& [key, use] : uses_) {
      if (file_.storages.contains(key) || views_.contains(key)) continue;
      corrupt(source_, "storage '" + key + "' is missing: the list of storages does not have it");
    }
  }

  void place_views() {
    for (const auto& [key, view] : views_) {
      const auto root = file_.storages.find(view.root);
      if (root == file_.storages.end()) {
        corrupt(source_,
                "storage '" + view.root + "' is missing: the list of storages does not have it");
      }
      if (file_.storages.contains(key)) {
        corrupt(source_, "storage '" + key + "' is also a view of storage '" + view.root + "'");
      }
      const Storage& whole = roots_.at(view.root);
      const std::uint64_t item = whole.count == 0 ? 0 : whole.size / whole.count;
      const std::uint64_t offset = root->second.offset + view.offset * item;
      file_.views.emplace(key,
                          StorageView{view.root, {offset, view.count * item, true, whole.dtype}});
    }
  }

  const ByteSource& source_;
  TorchFile file_;
  std::uint64_t position_ = 0;
  std::map<std::string, Storage> uses_;   // by key, views included
  std::map<std::string, Storage> roots_;  // those that views are parts of
  std::map<std::string, View> views_;
};

}  // namespace

bool starts_as_legacy(std::span<const std::byte> head) {
  const std::string_view text(reinterpret_cast<const char*>(head.data()),
                              std::min(head.size(), kLegacyHead));
  return text.starts_with(kMagicText) || text.starts_with(kProtocol2) ||
         (text.starts_with('\x80') && text.find(kMagic) != std::string_view::npos);
}

TorchFile read_legacy_file(const ByteSource& source) { return LegacyReader(source).read(); }

}  // namespace ckptbridge::torch_file
