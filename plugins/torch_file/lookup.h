// Questions that readers ask of values. `where` opens the message of an error: file and field.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/torch_file/value.h"

namespace ckptbridge::torch_file {

// Returns what a value is, for messages: "dict of 3", "int 5", "str 'cpu'", "object of
// argparse.Namespace".
std::string describe(const Values& values, ValueId id);

// Returns "module.name" of an object's class or function; "" for all else.
std::string class_name(const Values& values, ValueId id);
// Returns true for an object that this class or function makes.
bool is_object_of(const Values& values, ValueId id, std::string_view module, std::string_view name);

// Returns true for a dict and for an object that holds items (OrderedDict, defaultdict, Counter).
bool is_mapping(const Values& values, ValueId id);
// Returns the items of a mapping, in order; nothing for all else. A pickle may repeat a key; Python
// keeps the last value.
std::vector<Item> items_of(const Values& values, ValueId id);
// Returns the value at a string key of a mapping. Looks at each item: look up a few keys of a large
// dict, or all keys of a small one.
std::optional<ValueId> find(const Values& values, ValueId mapping, std::string_view key);
// Returns an attribute of an object. Its state is a dict, or a pair of dicts (the second: slots).
std::optional<ValueId> attribute(const Values& values, ValueId object, std::string_view name);
// Returns the integers of a list, a tuple or a torch.Size; nullopt for all else.
std::optional<std::vector<std::int64_t>> int_list(const Values& values, ValueId id);

// The same values; each throws CKB_CORRUPT where the value is missing or of another kind.
ValueId require(const Values& values, ValueId mapping, std::string_view key,
                const std::string& where);
std::vector<Item> require_items(const Values& values, ValueId id, const std::string& where);
std::int64_t require_int(const Values& values, ValueId id, const std::string& where);
// Returns a string that is a name. Throws CKB_CORRUPT for one with control characters: a NUL would
// cut it as a C string, others would do harm on a terminal.
std::string require_string(const Values& values, ValueId id, const std::string& where);

// Calls visit with each value that id reaches, itself included, once each.
void for_each_reachable(const Values& values, ValueId id,
                        const std::function<void(ValueId)>& visit);
// Returns each class and function that is named anywhere in values, reachable or not: "os.system".
// Sorted, each once.
std::vector<std::string> named_globals(const Values& values);

}  // namespace ckptbridge::torch_file
