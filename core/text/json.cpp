#include "core/text/json.h"

#include <algorithm>
#include <ostream>

#include "ckptbridge/error.hpp"

namespace ckptbridge {
namespace {

// Whether each value is an array of a string and something else, so that braces meant an object.
bool are_members(std::initializer_list<Json> values) {
  return std::all_of(values.begin(), values.end(), [](const Json& value) {
    return value.is_array() && value.size() == 2 && value[0].is_string();
  });
}

}  // namespace

Json::Json() noexcept = default;
Json::Json(const Json&) = default;
Json::Json(Json&&) noexcept = default;
Json& Json::operator=(const Json&) = default;
Json& Json::operator=(Json&&) noexcept = default;
Json::~Json() = default;
Json::Json(std::string value) : value_(std::move(value)) {}
Json::Json(Array values) : value_(std::move(values)) {}
Json::Json(Object members) : value_(std::move(members)) {}

Json::Json(std::initializer_list<Json> values) {
  if (!are_members(values)) {
    value_ = Array(values);
    return;
  }
  Object members;
  members.reserve(values.size());
  for (const Json& member : values) members.push_back({member[0].text(), member[1]});
  value_ = std::move(members);
}

Json Json::array(std::initializer_list<Json> values) { return Json(Array(values)); }
Json Json::object() { return Json(Object()); }

std::string Json::shown() const {
  constexpr std::size_t kLongest = 80;
  std::string text = dump();
  if (text.size() <= kLongest) return text;
  std::size_t end = kLongest;
  while ((static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;  // inside a character
  return text.substr(0, end) + "…";
}

void Json::expected(const char* what) const {
  throw Error(CKB_CORRUPT, std::string("expected ") + what + ", found " + shown());
}

bool Json::boolean() const {
  if (const bool* value = std::get_if<bool>(&value_)) return *value;
  expected("true or false");
}

std::optional<std::int64_t> Json::integer_within(std::int64_t least, std::int64_t most) const {
  const auto* value = std::get_if<std::int64_t>(&value_);
  if (value == nullptr || *value < least || *value > most) return std::nullopt;
  return *value;
}

std::int64_t Json::integer(std::int64_t least, std::int64_t most) const {
  if (const auto value = integer_within(least, most)) return *value;
  expected(is_integer() ? "a smaller number" : "an integer");
}

std::uint64_t Json::unsigned_integer(std::uint64_t most) const {
  const auto* small = std::get_if<std::int64_t>(&value_);
  const auto* large = std::get_if<std::uint64_t>(&value_);
  if (small != nullptr && *small >= 0 && static_cast<std::uint64_t>(*small) <= most) {
    return static_cast<std::uint64_t>(*small);
  }
  if (large != nullptr && *large <= most) return *large;
  expected("an integer that is not negative");
}

double Json::number() const {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*value);
  if (const auto* value = std::get_if<std::uint64_t>(&value_)) return static_cast<double>(*value);
  if (const auto* value = std::get_if<double>(&value_)) return *value;
  expected("a number");
}

const std::string& Json::text() const {
  if (const auto* value = std::get_if<std::string>(&value_)) return *value;
  expected("a string");
}

const Json::Array& Json::elements() const {
  if (const auto* value = std::get_if<Array>(&value_)) return *value;
  expected("an array");
}

Json::Array& Json::array_to_change() {
  if (is_null()) value_ = Array();
  if (auto* value = std::get_if<Array>(&value_)) return *value;
  expected("an array");
}

const Json::Object& Json::items() const {
  if (const auto* value = std::get_if<Object>(&value_)) return *value;
  expected("an object");
}

Json::Object& Json::items() {
  if (is_null()) value_ = Object();
  if (auto* value = std::get_if<Object>(&value_)) return *value;
  expected("an object");
}

std::size_t Json::size() const {
  if (is_null()) return 0;
  return is_array() ? elements().size() : items().size();
}

const Json& Json::operator[](std::size_t index) const {
  if (index >= elements().size()) expected("a longer array");
  return elements()[index];
}

Json& Json::operator[](std::size_t index) {
  if (index >= elements().size()) expected("a longer array");
  return array_to_change()[index];
}

Json& Json::back() {
  if (elements().empty()) expected("a longer array");
  return array_to_change().back();
}

void Json::push_back(Json value) { array_to_change().push_back(std::move(value)); }

const Json* Json::find(std::string_view name) const {
  const auto* members = std::get_if<Object>(&value_);
  if (members == nullptr) return nullptr;
  const auto found = std::find_if(members->begin(), members->end(),
                                  [&](const JsonMember& member) { return member.name == name; });
  return found == members->end() ? nullptr : &found->value;
}

const Json& Json::at(std::string_view name) const {
  const Json* found = find(name);
  if (found != nullptr) return *found;
  throw Error(CKB_CORRUPT, std::string(name) + ": is missing");
}

Json& Json::operator[](std::string_view name) {
  Object& members = items();
  for (JsonMember& member : members) {
    if (member.name == name) return member.value;
  }
  members.push_back({std::string(name), Json()});
  return members.back().value;
}

Json Json::value(std::string_view name, Json otherwise) const {
  const Json* found = find(name);
  return found == nullptr ? std::move(otherwise) : *found;
}

void Json::append(std::string name, Json value) {
  items().push_back({std::move(name), std::move(value)});
}

void Json::erase(std::string_view name) {
  std::erase_if(items(), [&](const JsonMember& member) { return member.name == name; });
}

void Json::update(const Json& other) {
  for (const JsonMember& member : other.items()) (*this)[member.name] = member.value;
}

bool operator==(const Json& a, const Json& b) { return a.value_ == b.value_; }

std::ostream& operator<<(std::ostream& out, const Json& json) { return out << json.dump(); }

}  // namespace ckptbridge
