#include "plugins/torch_file/lookup.h"

#include <algorithm>
#include <ranges>

#include "ckptbridge/error.hpp"
#include "plugins/torch_file/children.h"

namespace ckptbridge::torch_file {
namespace {

std::string joined(const GlobalName& global) {
  return std::string(global.module) + "." + std::string(global.name);
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; }

// For messages: on one line, and not as long as the user's terminal is high.
std::string quoted(std::string_view text) {
  constexpr std::size_t kMaxShown = 60;
  std::string result = "'";
  for (const char c : text.substr(0, kMaxShown)) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    result += is_control(c) ? std::string("\\x") + kDigits[byte >> 4] + kDigits[byte & 15]
                            : std::string(1, c);
  }
  return result + (text.size() > kMaxShown ? "...'" : "'");
}

[[noreturn]] void wrong(const Values& values, ValueId id, const std::string& where,
                        const char* expected) {
  throw Error(CKB_CORRUPT, where + ": found " + describe(values, id) + ", expected " + expected);
}

}  // namespace

std::string describe(const Values& values, ValueId id) {
  switch (values.kind(id)) {
    case Kind::kNone:
      return "None";
    case Kind::kBool:
      return id == Values::boolean(true) ? "True" : "False";
    case Kind::kInt:
      return "int " + std::to_string(values.as_int(id).value_or(0));
    case Kind::kBigInt:
      return "int of " + std::to_string(values.big_integer(id).size()) + " bytes";
    case Kind::kFloat:
      return "float " + std::to_string(values.as_float(id).value_or(0));
    case Kind::kString:
      return "str " + quoted(values.as_string(id).value_or(""));
    case Kind::kBytes:
      return "bytes of size " +
             std::to_string(values.as_bytes(id).value_or(std::span<const std::byte>{}).size());
    case Kind::kList:
      return "list of " + std::to_string(values.elements(id).size());
    case Kind::kTuple:
      return "tuple of " + std::to_string(values.elements(id).size());
    case Kind::kSet:
      return "set of " + std::to_string(values.elements(id).size());
    case Kind::kFrozenSet:
      return "frozenset of " + std::to_string(values.elements(id).size());
    case Kind::kDict:
      return "dict of " + std::to_string(values.items(id).size());
    case Kind::kGlobal:
      return joined(values.as_global(id).value_or(GlobalName{}));
    case Kind::kObject: {
      const std::string name = class_name(values, id);
      return name.empty() ? "object of an unnamed class" : "object of " + name;
    }
    case Kind::kPersistentId:
      return "storage";
  }
  return "value";
}

std::string class_name(const Values& values, ValueId id) {
  if (values.kind(id) != Kind::kObject) return "";
  const auto global = values.as_global(values.object(id).callable);
  return global ? joined(*global) : "";
}

bool is_object_of(const Values& values, ValueId id, std::string_view module,
                  std::string_view name) {
  return values.kind(id) == Kind::kObject &&
         values.is_global(values.object(id).callable, module, name);
}

bool is_mapping(const Values& values, ValueId id) {
  if (values.kind(id) == Kind::kDict) return true;
  if (values.kind(id) != Kind::kObject) return false;
  return is_object_of(values, id, "collections", "OrderedDict") ||
         std::ranges::any_of(values.object(id).edits,
                             [](const Edit& edit) { return edit.op == Edit::Op::kSetItem; });
}

std::vector<Item> items_of(const Values& values, ValueId id) {
  std::vector<Item> items;
  if (values.kind(id) == Kind::kDict) {
    const auto all = values.items(id);
    items.assign(all.begin(), all.end());
  } else if (values.kind(id) == Kind::kObject) {
    for (const Edit& edit : values.object(id).edits) {
      if (edit.op == Edit::Op::kSetItem) items.push_back({edit.key, edit.value});
    }
  }
  return items;
}

std::optional<ValueId> find(const Values& values, ValueId mapping, std::string_view key) {
  if (values.kind(mapping) == Kind::kDict) {
    for (const Item& item : std::views::reverse(values.items(mapping))) {
      if (values.as_string(item.key) == key) return item.value;
    }
  } else if (values.kind(mapping) == Kind::kObject) {
    for (const Edit& edit : std::views::reverse(values.object(mapping).edits)) {
      if (edit.op == Edit::Op::kSetItem && values.as_string(edit.key) == key) return edit.value;
    }
  }
  return std::nullopt;
}

std::optional<ValueId> attribute(const Values& values, ValueId object, std::string_view name) {
  if (values.kind(object) != Kind::kObject) return std::nullopt;
  for (const Edit& edit : std::views::reverse(values.object(object).edits)) {
    if (edit.op != Edit::Op::kState) continue;
    if (auto found = find(values, edit.value, name)) return found;
    if (values.kind(edit.value) != Kind::kTuple) continue;
    const auto parts = values.elements(edit.value);
    if (parts.size() != 2) continue;
    for (const ValueId part : std::views::reverse(parts)) {
      if (auto found = find(values, part, name)) return found;
    }
  }
  return std::nullopt;
}

std::optional<std::vector<std::int64_t>> int_list(const Values& values, ValueId id) {
  if (is_object_of(values, id, "torch", "Size")) {
    const auto args = values.object(id).args;
    if (values.kind(args) != Kind::kTuple || values.elements(args).size() != 1) return std::nullopt;
    id = values.elements(args)[0];
  }
  if (values.kind(id) != Kind::kList && values.kind(id) != Kind::kTuple) return std::nullopt;
  std::vector<std::int64_t> result;
  for (const ValueId element : values.elements(id)) {
    const auto value = values.as_int(element);
    if (!value) return std::nullopt;
    result.push_back(*value);
  }
  return result;
}

ValueId require(const Values& values, ValueId mapping, std::string_view key,
                const std::string& where) {
  if (!is_mapping(values, mapping)) wrong(values, mapping, where, "a dict");
  if (const auto found = find(values, mapping, key)) return *found;
  throw Error(CKB_CORRUPT, where + ": has no key '" + std::string(key) + "'");
}

std::vector<Item> require_items(const Values& values, ValueId id, const std::string& where) {
  if (!is_mapping(values, id)) wrong(values, id, where, "a dict");
  return items_of(values, id);
}

std::int64_t require_int(const Values& values, ValueId id, const std::string& where) {
  const auto value = values.as_int(id);
  if (!value) wrong(values, id, where, "an int");
  return *value;
}

std::string require_string(const Values& values, ValueId id, const std::string& where) {
  const auto value = values.as_string(id);
  if (!value) wrong(values, id, where, "a str");
  if (std::ranges::any_of(*value, is_control)) {
    wrong(values, id, where, "a name without control characters");
  }
  return std::string(*value);
}

void for_each_reachable(const Values& values, ValueId id,
                        const std::function<void(ValueId)>& visit) {
  std::vector<bool> seen(values.count());
  std::vector<ValueId> todo{id};
  while (!todo.empty()) {
    const ValueId next = todo.back();
    todo.pop_back();
    if (seen.at(next)) continue;
    seen[next] = true;
    visit(next);
    const std::size_t begin = todo.size();
    for_each_child(values, next, [&](ValueId child) {
      if (!seen[child]) todo.push_back(child);
    });
    std::reverse(todo.begin() + static_cast<std::ptrdiff_t>(begin), todo.end());
  }
}

std::vector<std::string> named_globals(const Values& values) {
  std::vector<std::string> names;
  for (ValueId id = 0; id < values.count(); ++id) {
    if (const auto global = values.as_global(id)) names.push_back(joined(*global));
  }
  std::ranges::sort(names);
  const auto [first, last] = std::ranges::unique(names);
  names.erase(first, last);
  return names;
}

}  // namespace ckptbridge::torch_file
