#include "core/text/json_object.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ckptbridge/error.hpp"
#include "core/text/printable.h"
#include "core/text/spelling.h"

namespace ckptbridge {

using nlohmann::json;

json parse_json(const std::string& text, const std::string& where) {
  const auto check = [&](int, json::parse_event_t event, const json& value) {
    const bool is_text = event == json::parse_event_t::key || value.is_string();
    if (is_text && value.get_ref<const std::string&>().find('\0') != std::string::npos) {
      throw Error(CKB_CORRUPT,
                  fmt::format("{}: the string {} contains a NUL", where,
                              value.dump(-1, ' ', true, json::error_handler_t::replace)));
    }
    return true;
  };
  try {
    return json::parse(text, check);
  } catch (const json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error …"
    std::string what = error.what();
    const auto end = what.find("] ");
    if (end != std::string::npos) what.erase(0, end + 2);
    throw Error(CKB_CORRUPT, fmt::format("{}: not JSON: {}", where, what));
  }
}

JsonObject::JsonObject(const json& object, std::string where)
    : object_(&object), where_(std::move(where)) {
  if (!object.is_object()) {
    throw Error(CKB_CORRUPT,
                fmt::format("{}: an object was expected, found {}", where_, object.type_name()));
  }
}

void JsonObject::refuse(const std::string& name, const std::string& problem,
                        const std::string& hint) const {
  throw Error(CKB_CORRUPT, fmt::format("{}: {}: {}", where_, name, problem), {.hint = hint});
}

const json* JsonObject::find(const std::string& name) {
  asked_.insert(name);
  const auto member = object_->find(name);
  return member == object_->end() ? nullptr : &*member;
}

const json& JsonObject::require(const std::string& name) {
  const json* member = find(name);
  if (member == nullptr) refuse(name, "this member is missing");
  return *member;
}

std::string JsonObject::string(const std::string& name) {
  const json& member = require(name);
  if (!member.is_string()) {
    refuse(name, fmt::format("a string was expected, found {}", member.type_name()));
  }
  return member.get<std::string>();
}

std::int64_t JsonObject::integer(const std::string& name) {
  const json& member = require(name);
  if (!member.is_number_integer()) {
    refuse(name, fmt::format("an integer was expected, found {}", member.type_name()));
  }
  return member.get<std::int64_t>();
}

std::string JsonObject::string_or(const std::string& name, const std::string& fallback) {
  return find(name) == nullptr ? fallback : string(name);
}

bool JsonObject::boolean_or(const std::string& name, bool fallback) {
  const json* member = find(name);
  if (member == nullptr) return fallback;
  if (!member->is_boolean()) {
    refuse(name, fmt::format("true or false was expected, found {}", member->type_name()));
  }
  return member->get<bool>();
}

std::vector<std::string> JsonObject::strings(const std::string& name) {
  std::vector<std::string> result;
  const json* member = find(name);
  if (member == nullptr) return result;
  if (!member->is_array()) {
    refuse(name, fmt::format("an array of strings was expected, found {}", member->type_name()));
  }
  for (const json& item : *member) {
    if (!item.is_string()) {
      refuse(name, fmt::format("an array of strings was expected, one is {}", item.type_name()));
    }
    result.push_back(item.get<std::string>());
  }
  return result;
}

std::map<std::string, std::string> JsonObject::string_map(const std::string& name) {
  std::map<std::string, std::string> result;
  const json* member = find(name);
  if (member == nullptr) return result;
  if (!member->is_object()) {
    refuse(name, fmt::format("an object of strings was expected, found {}", member->type_name()));
  }
  for (const auto& [key, value] : member->items()) {
    if (!value.is_string()) {
      refuse(name, fmt::format("{} must be a string, found {}", key, value.type_name()));
    }
    result[key] = value.get<std::string>();
  }
  return result;
}

std::vector<std::string> JsonObject::unread() const {
  std::vector<std::string> result;
  for (const auto& item : object_->items()) {
    if (asked_.count(item.key()) == 0) result.push_back(item.key());
  }
  return result;
}

void JsonObject::require_only(const std::vector<std::string>& names) const {
  for (const auto& item : object_->items()) {
    if (std::find(names.begin(), names.end(), item.key()) != names.end()) continue;
    throw Error(CKB_CORRUPT, fmt::format("{}: {}: is not known here", where_, item.key()),
                {.hint = suggestion(item.key(), names)});
  }
}

}  // namespace ckptbridge
