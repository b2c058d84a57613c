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

// What a value is, for messages: "dict of 3", "int 5", "str 'cpu'", "object of argparse.Namespace".
std::string describe(const Values& values, ValueId id);

// "module.name" of an object's class or function; "" for all else.
std::string class_name(const Values& values, ValueId id);
// True for an object made by this class or function.
bool is_object_of(const Values& values, ValueId id, std::string_view module, std::string_view name);

// True for a dict and for an object that holds items (OrderedDict, defaultdict, Counter).
bool is_mapping(const Values& values, ValueId id);
// The items of a mapping, in order; nothing for all else. A pickle may repeat a key; Python keeps
// the last value.
std::vector<Item> items_of(const Values& values, ValueId id);
// The value at a string key of a mapping. Looks at each item: for a few keys of a large dict, or
// all of a small one.
std::optional<ValueId> find(const Values& values, ValueId mapping, std::string_view key);
// An attribute of an object, from its state: a dict, or a pair of dicts (the second: slots).
std::optional<ValueId> attribute(const Values& values, ValueId object, std::string_view name);
// The integers of a list, a tuple or a torch.Size; nullopt for all else.
std::optional<std::vector<std::int64_t>> int_list(const Values& values, ValueId id);
// The content of bytes, a bytearray or an io.BytesIO; nullopt for all else.
std::optional<Bytes> byte_content(const Values& values, ValueId id);

// As above, with CKB_CORRUPT where it is missing or of another kind.
ValueId require(const Values& values, ValueId mapping, std::string_view key,
                const std::string& where);
std::vector<Item> require_items(const Values& values, ValueId id, const std::string& where);
std::int64_t require_int(const Values& values, ValueId id, const std::string& where);
// A name: no control characters, so that it is whole as a C string and does no harm where it is
// shown.
std::string require_string(const Values& values, ValueId id, const std::string& where);

// Calls visit with each value that id reaches, itself included, once each.
void for_each_reachable(const Values& values, ValueId id,
                        const std::function<void(ValueId)>& visit);
// Every class and function that is named anywhere in values, reachable or not: "os.system". Sorted,
// each once.
std::vector<std::string> named_globals(const Values& values);

}  // namespace ckptbridge::torch_file
