// A pickle as data: values in an arena, named by 32-bit ids.
//
// Equal ids are one object, so shared and self-containing values keep their identity. Nothing is
// ever constructed: what pickle would build by a call is a kObject that says which call. No
// function here, nor the destructor, recurses.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/torch_file/byte_source.h"

namespace ckptbridge::torch_file {

using ValueId = std::uint32_t;

enum class Kind : std::uint8_t {
  kNone,
  kBool,
  kInt,
  kBigInt,
  kFloat,
  kString,
  kBytes,
  kList,
  kTuple,
  kDict,
  kSet,
  kFrozenSet,
  kGlobal,
  kObject,
  kPersistentId
};

struct Item {
  ValueId key;
  ValueId value;
};

struct GlobalName {
  std::string_view module;  // Python 3's names: "builtins", "torch._tensor", "numpy.core"
  std::string_view name;
};

// What happened to an object after it was made, in the order of the pickle.
struct Edit {
  enum class Op : std::uint8_t { kAppend, kSetItem, kState };
  Op op;
  ValueId key;  // of kSetItem only
  ValueId value;
};

// An instance that unpickling would make: callable(*args), or callable.__new__(callable, *args,
// **kwargs).
struct Object {
  bool is_new;       // __new__ (NEWOBJ) rather than a call (REDUCE)
  ValueId callable;  // nearly always a kGlobal
  ValueId args;      // a kTuple
  ValueId kwargs;    // a kDict, or none
  std::vector<Edit> edits;
};

class Values {
 public:
  Values();

  static constexpr ValueId none() { return 0; }
  static constexpr ValueId boolean(bool value) { return value ? 1 : 2; }
  static constexpr ValueId empty_tuple() { return 3; }

  ValueId integer(std::int64_t value);
  // Two's complement, little-endian; kInt when it fits 64 bits.
  ValueId integer(std::span<const std::byte> twos_complement);
  ValueId real(double value);
  // UTF-8 in which surrogates may stand (Python's "surrogatepass").
  ValueId string(std::string_view utf8);
  ValueId bytes(std::span<const std::byte> data);
  ValueId list(std::vector<ValueId> elements = {});
  ValueId tuple(std::span<const ValueId> elements);
  ValueId tuple(std::initializer_list<ValueId> elements);
  ValueId dict(std::vector<Item> items = {});
  ValueId set(std::vector<ValueId> elements = {});
  ValueId frozen_set(std::vector<ValueId> elements);
  ValueId global(std::string_view module, std::string_view name);
  ValueId reduce(ValueId callable, ValueId args);
  ValueId new_object(ValueId callable, ValueId args, ValueId kwargs = none());
  ValueId persistent_id(ValueId pid);

  // These throw CKB_CORRUPT when the value is of another kind than named.
  void append(ValueId list_set_or_object, ValueId element);
  void set_item(ValueId dict_or_object, ValueId key, ValueId value);
  void set_state(ValueId object, ValueId state);
  void set_persistent_id(ValueId persistent, ValueId pid);
  // The persistent id becomes the global that it stands for.
  void resolve_persistent_id(ValueId persistent, ValueId global);

  Kind kind(ValueId id) const { return nodes_.at(id).kind; }
  std::uint32_t count() const { return static_cast<std::uint32_t>(nodes_.size()); }

  // nullopt for another kind.
  std::optional<bool> as_bool(ValueId id) const;
  std::optional<std::int64_t> as_int(ValueId id) const;  // also nullopt beyond 64 bits
  std::optional<double> as_float(ValueId id) const;      // of a kFloat only
  // Views are good until the next value is added.
  std::optional<std::string_view> as_string(ValueId id) const;
  std::optional<std::span<const std::byte>> as_bytes(ValueId id) const;
  std::optional<GlobalName> as_global(ValueId id) const;
  bool is_global(ValueId id, std::string_view module, std::string_view name) const;

  // These throw CKB_CORRUPT for another kind. Borrowed until the next value is added.
  std::span<const std::byte> big_integer(ValueId id) const;   // two's complement, little-endian
  std::span<const ValueId> elements(ValueId sequence) const;  // list, tuple, set, frozenset
  std::span<const Item> items(ValueId dict) const;            // in order; a later equal key wins
  const Object& object(ValueId id) const;
  ValueId persistent_id_of(ValueId persistent) const;

 private:
  struct Node {
    Kind kind;
    std::uint32_t size;  // of what lies in a pool; else an index
    std::uint64_t bits;  // the scalar itself, or an offset in a pool
  };

  ValueId add(Kind kind, std::uint32_t size, std::uint64_t bits);
  ValueId add_text(Kind kind, std::string_view text);
  std::string_view text(const Node& node) const;

  std::vector<Node> nodes_;
  std::vector<char> text_pool_;
  std::vector<ValueId> tuple_pool_;
  std::vector<std::vector<ValueId>> lists_;  // of lists and sets
  std::vector<std::vector<Item>> dicts_;
  std::vector<Object> objects_;
  std::vector<ValueId> recent_;  // short strings and globals seen lately, by hash
};

}  // namespace ckptbridge::torch_file
