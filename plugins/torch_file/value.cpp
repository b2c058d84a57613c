#include "plugins/torch_file/value.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>

#include "ckptbridge/error.hpp"

namespace ckptbridge::torch_file {
namespace {

constexpr std::uint32_t kNoIndex = std::numeric_limits<std::uint32_t>::max();
// 2 GiB of nodes: far beyond real checkpoints, and short of what 32-bit ids can name.
constexpr std::size_t kMaxValues = std::size_t{1} << 27;
constexpr std::size_t kRecentCount = 4096;
constexpr std::size_t kMaxRecentSize = 64;

[[noreturn]] void wrong_kind(const char* expected) {
  throw Error(CKB_CORRUPT, std::string("a value is not ") + expected + ", as was expected");
}

// FNV-1a rather than std::hash: which strings are found again decides which ones a pickle repeats,
// and that may not depend on the standard library.
std::size_t slot_of(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return hash % kRecentCount;
}

// Copies data to the end of pool, of which it may be a part.
template <class T>
void append_to_pool(std::vector<T>& pool, const T* data, std::size_t count) {
  const std::less<const T*> less;
  const bool is_inside =
      !pool.empty() && !less(data, pool.data()) && less(data, pool.data() + pool.size());
  const std::size_t from = is_inside ? static_cast<std::size_t>(data - pool.data()) : 0;
  const std::size_t begin = pool.size();
  pool.resize(begin + count);
  std::copy_n(is_inside ? pool.data() + from : data, count, pool.data() + begin);
}

}  // namespace

Values::Values() {
  add(Kind::kNone, 0, 0);
  add(Kind::kBool, 0, 1);
  add(Kind::kBool, 0, 0);
  add(Kind::kTuple, 0, 0);
}

ValueId Values::add(Kind kind, std::uint32_t size, std::uint64_t bits) {
  if (nodes_.size() >= kMaxValues) {
    throw Error(CKB_UNSUPPORTED,
                "a pickle has more than " + std::to_string(kMaxValues) + " values");
  }
  nodes_.push_back({kind, size, bits});
  return static_cast<ValueId>(nodes_.size() - 1);
}

std::string_view Values::text(const Node& node) const {
  return {text_pool_.data() + node.bits, node.size};
}

ValueId Values::add_text(Kind kind, std::string_view text) {
  if (text.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw Error(CKB_UNSUPPORTED, "a pickle has a string of " + std::to_string(text.size()) +
                                     " bytes, more than 4 GiB");
  }
  const std::uint64_t begin = text_pool_.size();
  append_to_pool(text_pool_, text.data(), text.size());
  return add(kind, static_cast<std::uint32_t>(text.size()), begin);
}

ValueId Values::integer(std::int64_t value) {
  return add(Kind::kInt, 0, std::bit_cast<std::uint64_t>(value));
}

ValueId Values::integer(std::span<const std::byte> twos_complement) {
  auto data = twos_complement;
  const auto is_negative = [](std::byte byte) { return (byte & std::byte{0x80}) != std::byte{0}; };
  while (data.size() > 1) {  // without bytes that only repeat the sign
    const std::byte sign = is_negative(data[data.size() - 2]) ? std::byte{0xFF} : std::byte{0};
    if (data.back() != sign) break;
    data = data.first(data.size() - 1);
  }
  if (data.size() > 8) {
    return add_text(Kind::kBigInt, {reinterpret_cast<const char*>(data.data()), data.size()});
  }
  std::uint64_t bits = !data.empty() && is_negative(data.back()) ? ~std::uint64_t{0} : 0;
  for (std::size_t i = data.size(); i-- > 0;) {
    bits = (bits << 8) | std::to_integer<std::uint64_t>(data[i]);
  }
  return integer(std::bit_cast<std::int64_t>(bits));
}

ValueId Values::real(double value) {
  return add(Kind::kFloat, 0, std::bit_cast<std::uint64_t>(value));
}

// Keys and names recur by the thousand. A table of fixed size, in which a newcomer takes its slot,
// finds most of them and costs the same whatever the strings are.
ValueId Values::string(std::string_view utf8) {
  if (utf8.size() > kMaxRecentSize) return add_text(Kind::kString, utf8);
  if (recent_.empty()) recent_.resize(kRecentCount, kNoIndex);
  const std::size_t slot = slot_of(utf8);
  const ValueId known = recent_[slot];
  if (known != kNoIndex && kind(known) == Kind::kString && text(nodes_[known]) == utf8) {
    return known;
  }
  const ValueId id = add_text(Kind::kString, utf8);
  recent_[slot] = id;
  return id;
}

ValueId Values::bytes(std::span<const std::byte> data) {
  return add_text(Kind::kBytes, {reinterpret_cast<const char*>(data.data()), data.size()});
}

ValueId Values::list(std::vector<ValueId> elements) {
  const ValueId id = add(Kind::kList, kNoIndex, 0);
  if (!elements.empty()) {
    nodes_[id].size = static_cast<std::uint32_t>(lists_.size());
    lists_.push_back(std::move(elements));
  }
  return id;
}

ValueId Values::set(std::vector<ValueId> elements) {
  const ValueId id = list(std::move(elements));
  nodes_[id].kind = Kind::kSet;
  return id;
}

ValueId Values::frozen_set(std::vector<ValueId> elements) {
  const ValueId id = list(std::move(elements));
  nodes_[id].kind = Kind::kFrozenSet;
  return id;
}

ValueId Values::tuple(std::span<const ValueId> elements) {
  if (elements.empty()) return empty_tuple();
  const std::uint64_t begin = tuple_pool_.size();
  append_to_pool(tuple_pool_, elements.data(), elements.size());
  return add(Kind::kTuple, static_cast<std::uint32_t>(elements.size()), begin);
}

ValueId Values::tuple(std::initializer_list<ValueId> elements) {
  return tuple(std::span(elements.begin(), elements.size()));
}

ValueId Values::dict(std::vector<Item> items) {
  const ValueId id = add(Kind::kDict, kNoIndex, 0);
  if (!items.empty()) {
    nodes_[id].size = static_cast<std::uint32_t>(dicts_.size());
    dicts_.push_back(std::move(items));
  }
  return id;
}

ValueId Values::global(std::string_view module, std::string_view name) {
  const ValueId module_id = string(module);
  const ValueId name_id = string(name);
  const std::size_t slot = (std::size_t{module_id} * 31 + name_id) % kRecentCount;
  if (recent_.empty()) recent_.resize(kRecentCount, kNoIndex);
  const std::uint64_t bits = (std::uint64_t{module_id} << 32) | name_id;
  const ValueId known = recent_[slot];
  if (known != kNoIndex && kind(known) == Kind::kGlobal && nodes_[known].bits == bits) return known;
  const ValueId id = add(Kind::kGlobal, 0, bits);
  recent_[slot] = id;
  return id;
}

ValueId Values::reduce(ValueId callable, ValueId args) {
  const ValueId id = add(Kind::kObject, static_cast<std::uint32_t>(objects_.size()), 0);
  objects_.push_back({false, callable, args, none(), {}});
  return id;
}

ValueId Values::new_object(ValueId callable, ValueId args, ValueId kwargs) {
  const ValueId id = add(Kind::kObject, static_cast<std::uint32_t>(objects_.size()), 0);
  objects_.push_back({true, callable, args, kwargs, {}});
  return id;
}

ValueId Values::persistent_id(ValueId pid) { return add(Kind::kPersistentId, 0, pid); }

void Values::append(ValueId list_set_or_object, ValueId element) {
  Node& node = nodes_.at(list_set_or_object);
  if (node.kind == Kind::kObject) {
    objects_[node.size].edits.push_back({Edit::Op::kAppend, none(), element});
    return;
  }
  if (node.kind != Kind::kList && node.kind != Kind::kSet) wrong_kind("a list, set or object");
  if (node.size == kNoIndex) {
    node.size = static_cast<std::uint32_t>(lists_.size());
    lists_.emplace_back();
  }
  lists_[node.size].push_back(element);
}

void Values::set_item(ValueId dict_or_object, ValueId key, ValueId value) {
  Node& node = nodes_.at(dict_or_object);
  if (node.kind == Kind::kObject) {
    objects_[node.size].edits.push_back({Edit::Op::kSetItem, key, value});
    return;
  }
  if (node.kind != Kind::kDict) wrong_kind("a dict or object");
  if (node.size == kNoIndex) {
    node.size = static_cast<std::uint32_t>(dicts_.size());
    dicts_.emplace_back();
  }
  dicts_[node.size].push_back({key, value});
}

void Values::set_state(ValueId object, ValueId state) {
  const Node& node = nodes_.at(object);
  if (node.kind != Kind::kObject) wrong_kind("an object");
  objects_[node.size].edits.push_back({Edit::Op::kState, none(), state});
}

void Values::set_persistent_id(ValueId persistent, ValueId pid) {
  Node& node = nodes_.at(persistent);
  if (node.kind != Kind::kPersistentId) wrong_kind("a persistent id");
  node.bits = pid;
}

void Values::resolve_persistent_id(ValueId persistent, ValueId global) {
  if (kind(persistent) != Kind::kPersistentId) wrong_kind("a persistent id");
  if (kind(global) != Kind::kGlobal) wrong_kind("a global");
  nodes_[persistent] = nodes_[global];  // a global owns nothing
}

std::optional<bool> Values::as_bool(ValueId id) const {
  if (kind(id) != Kind::kBool) return std::nullopt;
  return nodes_[id].bits != 0;
}

std::optional<std::int64_t> Values::as_int(ValueId id) const {
  if (kind(id) != Kind::kInt) return std::nullopt;
  return std::bit_cast<std::int64_t>(nodes_[id].bits);
}

std::optional<double> Values::as_float(ValueId id) const {
  if (kind(id) != Kind::kFloat) return std::nullopt;
  return std::bit_cast<double>(nodes_[id].bits);
}

std::optional<std::string_view> Values::as_string(ValueId id) const {
  if (kind(id) != Kind::kString) return std::nullopt;
  return text(nodes_[id]);
}

std::optional<std::span<const std::byte>> Values::as_bytes(ValueId id) const {
  if (kind(id) != Kind::kBytes) return std::nullopt;
  return std::as_bytes(std::span(text(nodes_[id])));
}

std::optional<GlobalName> Values::as_global(ValueId id) const {
  if (kind(id) != Kind::kGlobal) return std::nullopt;
  const std::uint64_t bits = nodes_[id].bits;
  return GlobalName{text(nodes_[bits >> 32]), text(nodes_[bits & 0xFFFFFFFF])};
}

bool Values::is_global(ValueId id, std::string_view module, std::string_view name) const {
  const auto global = as_global(id);
  return global && global->module == module && global->name == name;
}

std::span<const std::byte> Values::big_integer(ValueId id) const {
  if (kind(id) != Kind::kBigInt) wrong_kind("an integer beyond 64 bits");
  return std::as_bytes(std::span(text(nodes_[id])));
}

std::span<const ValueId> Values::elements(ValueId sequence) const {
  const Node& node = nodes_.at(sequence);
  switch (node.kind) {
    case Kind::kTuple:
      return {tuple_pool_.data() + node.bits, node.size};
    case Kind::kList:
    case Kind::kSet:
    case Kind::kFrozenSet:
      if (node.size == kNoIndex) return {};
      return lists_[node.size];
    default:
      wrong_kind("a list, tuple or set");
  }
}

std::span<const Item> Values::items(ValueId dict) const {
  const Node& node = nodes_.at(dict);
  if (node.kind != Kind::kDict) wrong_kind("a dict");
  if (node.size == kNoIndex) return {};
  return dicts_[node.size];
}

const Object& Values::object(ValueId id) const {
  const Node& node = nodes_.at(id);
  if (node.kind != Kind::kObject) wrong_kind("an object");
  return objects_[node.size];
}

ValueId Values::persistent_id_of(ValueId persistent) const {
  const Node& node = nodes_.at(persistent);
  if (node.kind != Kind::kPersistentId) wrong_kind("a persistent id");
  return static_cast<ValueId>(node.bits);
}

}  // namespace ckptbridge::torch_file
