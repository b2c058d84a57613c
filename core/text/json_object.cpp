#include "core/text/json_object.h"

#include <algorithm>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/text/spelling.h"

namespace ckptbridge {

JsonObject::JsonObject(const Json& value, std::string where)
    : object_(&value), where_(std::move(where)) {
  if (!value.is_object()) expected(where_, "an object", value);
  asked_.reserve(value.size());
}

std::string JsonObject::place(std::string_view name) const {
  return fmt::format("{}: {}", where_, name);
}

void JsonObject::refuse(std::string_view name, const std::string& problem,
                        const std::string& hint) const {
  throw Error(CKB_CORRUPT, fmt::format("{}: {}", place(name), problem), {.hint = hint});
}

void JsonObject::expected(const std::string& at, const std::string& what, const Json& found,
                          ckb_status code) const {
  throw Error(code, fmt::format("{}: expected {}, found {}", at, what, found.shown()));
}

void JsonObject::expected(std::string_view name, const std::string& what, ckb_status code) const {
  expected(place(name), what, object_->at(name), code);
}

const Json* JsonObject::find(std::string_view name) {
  asked_.emplace_back(name);
  return object_->find(name);
}

// A member that may stand for one that is missing.
std::string JsonObject::misspelt(std::string_view name) const {
  for (const auto& [other, value] : object_->items()) {
    if (!suggestion(other, {std::string(name)}).empty()) {
      return fmt::format("is \"{}\" meant to be it?", other);
    }
  }
  return "";
}

const Json& JsonObject::get(std::string_view name) {
  const Json* member = find(name);
  if (member == nullptr) refuse(name, "is missing", misspelt(name));
  return *member;
}

std::string JsonObject::string(std::string_view name) {
  const Json& member = get(name);
  if (!member.is_string()) expected(name, "a string");
  return member.text();
}

bool JsonObject::boolean(std::string_view name) {
  const Json& member = get(name);
  if (!member.is_boolean()) expected(name, "true or false");
  return member.get<bool>();
}

std::int64_t JsonObject::integer(std::string_view name, std::int64_t least, std::int64_t most) {
  const Json& member = get(name);
  const auto number = member.integer_within(least, most);
  if (number) return *number;
  using Limits = std::numeric_limits<std::int64_t>;
  std::string range;
  if (least != Limits::min() && most != Limits::max()) {
    range =
        least == most ? fmt::format(" of {}", least) : fmt::format(" from {} to {}", least, most);
  } else if (least != Limits::min()) {
    range = fmt::format(" of at least {}", least);
  }
  expected(name, "an integer" + range);
}

const Json::Array& JsonObject::array(std::string_view name) {
  const Json& member = get(name);
  if (!member.is_array()) expected(name, "an array");
  return member.elements();
}

std::vector<std::int64_t> JsonObject::sizes(std::string_view name, std::int64_t least) {
  const Json::Array& given = array(name);
  std::vector<std::int64_t> result;
  result.reserve(given.size());
  for (const Json& size : given) {
    const auto number = size.integer_within(least, std::numeric_limits<std::int64_t>::max());
    if (!number) {
      expected(fmt::format("{}[{}]", place(name), result.size()),
               fmt::format("an integer of at least {}", least), size);
    }
    result.push_back(*number);
  }
  return result;
}

JsonObject JsonObject::object(std::string_view name) { return {get(name), place(name)}; }

std::vector<JsonObject> JsonObject::objects(std::string_view name) {
  std::vector<JsonObject> result;
  for (const Json& element : array(name)) {
    result.emplace_back(element, fmt::format("{}[{}]", place(name), result.size()));
  }
  return result;
}

std::string JsonObject::string_or(std::string_view name, const std::string& fallback) {
  return find(name) == nullptr ? fallback : string(name);
}

bool JsonObject::boolean_or(std::string_view name, bool fallback) {
  return find(name) == nullptr ? fallback : boolean(name);
}

std::int64_t JsonObject::integer_or(std::string_view name, std::int64_t fallback) {
  return find(name) == nullptr ? fallback : integer(name);
}

std::vector<std::string> JsonObject::strings(std::string_view name) {
  std::vector<std::string> result;
  if (find(name) == nullptr) return result;
  for (const Json& element : array(name)) {
    if (!element.is_string()) {
      expected(fmt::format("{}[{}]", place(name), result.size()), "a string", element);
    }
    result.push_back(element.text());
  }
  return result;
}

std::map<std::string, std::string> JsonObject::string_map(std::string_view name) {
  std::map<std::string, std::string> result;
  if (find(name) == nullptr) return result;
  const JsonObject members = object(name);
  for (const auto& [key, value] : members.object_->items()) {
    if (!value.is_string()) members.expected(key, "a string");
    result[key] = value.text();
  }
  return result;
}

std::vector<std::string> JsonObject::unread() const {
  std::vector<std::string> result;
  for (const auto& [name, value] : object_->items()) {
    if (std::find(asked_.begin(), asked_.end(), name) == asked_.end()) result.push_back(name);
  }
  return result;
}

void JsonObject::require_all_read() const {
  for (const std::string& name : unread()) {
    if (name != "comment") refuse(name, "unknown member", suggestion(name, asked_));
  }
}

}  // namespace ckptbridge
