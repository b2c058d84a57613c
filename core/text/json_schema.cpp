#include "core/text/json_schema.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/text/printable.h"
#include "core/text/spelling.h"

namespace ckptbridge {
namespace {

bool has_type(const Json& value, std::string_view type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_integer();
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "array") return value.is_array();
  return type == "object" && value.is_object();
}

std::string type_name(const std::string& type) {
  if (type == "boolean") return "true or false";
  if (type == "integer" || type == "object" || type == "array") return "an " + type;
  return type == "null" ? type : "a " + type;
}

std::vector<std::string> types_of(const Json& schema) {
  const Json* type = schema.find("type");
  if (type == nullptr) return {};
  if (type->is_string()) return {type->text()};
  return type->get<std::vector<std::string>>();
}

// Whether c is in a class such as "A-Za-z0-9_.-", in which a last '-' is itself.
bool in_class(char c, std::string_view members) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i + 2 < members.size() && members[i + 1] == '-') {
      if (c >= members[i] && c <= members[i + 2]) return true;
      i += 2;
    } else if (c == members[i]) {
      return true;
    }
  }
  return false;
}

// Takes as many characters as fit at each class, and never fewer.
bool fits(std::string_view text, const std::string& pattern) {
  const auto broken = [&] { return Error(CKB_CORRUPT, "schema: pattern " + pattern); };
  if (pattern.size() < 2 || pattern.front() != '^' || pattern.back() != '$') throw broken();
  std::string_view rest(pattern);
  rest = rest.substr(1, rest.size() - 2);
  while (!rest.empty()) {
    const std::size_t end = rest.find(']');
    if (rest.front() != '[' || end == std::string_view::npos) throw broken();
    const std::string_view members = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    const char repeat = !rest.empty() && (rest[0] == '*' || rest[0] == '+') ? rest[0] : '1';
    if (repeat != '1') rest.remove_prefix(1);
    std::size_t taken = 0;
    while (taken < text.size() && (repeat != '1' || taken == 0) && in_class(text[taken], members)) {
      ++taken;
    }
    if (taken == 0 && repeat != '*') return false;
    text.remove_prefix(taken);
  }
  return text.empty();
}

class Checker {
 public:
  void check(const Json& schema, const Json& value, const std::string& where) {
    if (const std::string wanted = wrong_type(schema, value); !wanted.empty()) {
      fail(where, fmt::format("expected {}, found {}", wanted, value.shown()));
      return;
    }
    check_choice(schema, value, where);
    if (value.is_number()) check_number(schema, value, where);
    if (value.is_string()) check_string(schema, value.text(), where);
    if (value.is_array() && schema.contains("items")) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        check(schema["items"], value[i], fmt::format("{}[{}]", where, i));
      }
    }
    if (value.is_object()) check_members(schema, value, where);
  }

  std::vector<std::string> problems;

 private:
  void fail(const std::string& where, const std::string& problem) {
    problems.push_back(where.empty() ? problem : where + ": " + problem);
  }

  static std::string wrong_type(const Json& schema, const Json& value) {
    std::string wanted;
    for (const std::string& type : types_of(schema)) {
      if (has_type(value, type)) return "";
      wanted += (wanted.empty() ? "" : " or ") + type_name(type);
    }
    return wanted;
  }

  void check_choice(const Json& schema, const Json& value, const std::string& where) {
    if (schema.contains("const") && value != schema["const"]) {
      fail(where, fmt::format("expected {}, found {}", schema["const"].shown(), value.shown()));
    }
    const Json* choices = schema.find("enum");
    if (choices != nullptr &&
        std::find(choices->begin(), choices->end(), value) == choices->end()) {
      fail(where, fmt::format("expected one of {}, found {}", choices->shown(), value.shown()));
    }
  }

  void check_number(const Json& schema, const Json& value, const std::string& where) {
    const double number = value.get<double>();
    const Json* least = schema.find("minimum");
    if (least != nullptr && number < least->get<double>()) {
      fail(where, fmt::format("expected {} or more, found {}", least->shown(), value.shown()));
    }
    const Json* most = schema.find("maximum");
    if (most != nullptr && number > most->get<double>()) {
      fail(where, fmt::format("expected {} or less, found {}", most->shown(), value.shown()));
    }
  }

  void check_string(const Json& schema, const std::string& text, const std::string& where) {
    const auto shortest = schema.value("minLength", 0).get<std::size_t>();
    const auto longest = schema.value("maxLength", text.size()).get<std::size_t>();
    if (text.size() < shortest || text.size() > longest) {
      fail(where,
           fmt::format("expected {} to {} characters, found {}", shortest, longest, text.size()));
    }
    const Json* pattern = schema.find("pattern");
    if (pattern != nullptr && !fits(text, pattern->text())) {
      fail(where,
           fmt::format("expected a text like {}, found {}", pattern->text(), Json(text).shown()));
    }
  }

  void check_members(const Json& schema, const Json& value, const std::string& where) {
    const Json properties = schema.value("properties", Json::object());
    for (const Json& name : schema.value("required", Json::array())) {
      if (!value.contains(name.text())) {
        fail(where, name.text() + " is missing");
      }
    }
    const bool closed =
        schema.contains("additionalProperties") && schema["additionalProperties"] == false;
    std::vector<std::string> names;
    for (const auto& [name, rule] : properties.items()) names.push_back(name);
    for (const auto& [name, member] : value.items()) {
      const std::string path = where.empty() ? name : fmt::format("{}.{}", where, name);
      if (properties.contains(name)) {
        check(properties[name], member, path);
      } else if (closed) {
        fail(path, "unknown member" + did_you_mean(name, names));
      }
    }
  }
};

}  // namespace

std::vector<std::string> schema_problems(const Json& schema, const Json& value) {
  Checker checker;
  checker.check(schema, value, "");
  return std::move(checker.problems);
}

}  // namespace ckptbridge
