#include "plugins/torch_file/fold.h"

#include <string>
#include <vector>

#include "plugins/torch_file/text_encoding.h"

namespace ckptbridge::torch_file {
namespace {

// The elements of the one list or tuple that args holds, copied.
std::optional<std::vector<ValueId>> single_sequence(const Values& values, ValueId args) {
  const auto elements = values.elements(args);
  if (elements.empty()) return std::vector<ValueId>{};
  if (elements.size() != 1) return std::nullopt;
  const Kind kind = values.kind(elements[0]);
  if (kind != Kind::kList && kind != Kind::kTuple) return std::nullopt;
  const auto content = values.elements(elements[0]);
  return std::vector<ValueId>(content.begin(), content.end());
}

}  // namespace

bool Folder::spend(std::uint64_t size) {
  if (size > budget_) return false;
  budget_ -= size;
  return true;
}

std::optional<ValueId> Folder::fold_bytes(ValueId args) {
  const auto elements = values_.elements(args);
  if (elements.size() != 2 || values_.as_string(elements[1]) != "latin1") return std::nullopt;
  const auto text = values_.as_string(elements[0]);
  if (!text || !spend(text->size())) return std::nullopt;
  const auto data = from_latin1_text(*text);
  if (!data) return std::nullopt;
  return values_.bytes(*data);
}

std::optional<ValueId> Folder::fold_ordered_dict(ValueId callable, ValueId args) {
  if (args == Values::empty_tuple()) return std::nullopt;
  const auto pairs = single_sequence(values_, args);
  if (!pairs || !spend(pairs->size())) return std::nullopt;
  std::vector<Item> items;
  for (const ValueId pair : *pairs) {
    const Kind kind = values_.kind(pair);
    if (kind != Kind::kList && kind != Kind::kTuple) return std::nullopt;
    const auto both = values_.elements(pair);
    if (both.size() != 2) return std::nullopt;
    items.push_back({both[0], both[1]});
  }
  const ValueId id = values_.reduce(callable, Values::empty_tuple());
  for (const Item& item : items) values_.set_item(id, item.key, item.value);
  return id;
}

std::optional<ValueId> Folder::fold(ValueId callable, ValueId args) {
  const auto global = values_.as_global(callable);
  if (!global) return std::nullopt;
  if (global->module == "_codecs" && global->name == "encode") return fold_bytes(args);
  if (global->module == "collections" && global->name == "OrderedDict") {
    return fold_ordered_dict(callable, args);
  }
  if (global->module != "builtins") return std::nullopt;
  if (global->name == "bytes" && args == Values::empty_tuple()) return values_.bytes({});
  const bool is_frozen = global->name == "frozenset";
  if (!is_frozen && global->name != "set") return std::nullopt;
  auto elements = single_sequence(values_, args);
  if (!elements || !spend(elements->size())) return std::nullopt;
  return is_frozen ? values_.frozen_set(std::move(*elements)) : values_.set(std::move(*elements));
}

}  // namespace ckptbridge::torch_file
