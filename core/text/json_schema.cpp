#include "core/text/json_schema.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ckptbridge/error.hpp"
#include "core/text/printable.h"
#include "core/text/spelling.h"

namespace ckptbridge {
namespace {

using nlohmann::json;

std::string text_of(const json& value) {
  constexpr std::size_t kLongest = 80;
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "…";
  return text;
}

bool has_type(const json& value, std::string_view type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
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

std::vector<std::string> types_of(const json& schema) {
  const auto type = schema.find("type");
  if (type == schema.end()) return {};
  if (type->is_string()) return {type->get<std::string>()};
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
  void check(const json& schema, const json& value, const std::string& where) {
    if (const std::string wanted = wrong_type(schema, value); !wanted.empty()) {
      fail(where, fmt::format("expected {}, found {}", wanted, text_of(value)));
      return;
    }
    check_choice(schema, value, where);
    if (value.is_number()) check_number(schema, value, where);
    if (value.is_string()) check_string(schema, value.get_ref<const std::string&>(), where);
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

  static std::string wrong_type(const json& schema, const json& value) {
    std::string wanted;
    for (const std::string& type : types_of(schema)) {
      if (has_type(value, type)) return "";
      wanted += (wanted.empty() ? "" : " or ") + type_name(type);
    }
    return wanted;
  }

  void check_choice(const json& schema, const json& value, const std::string& where) {
    if (schema.contains("const") && value != schema["const"]) {
      fail(where, fmt::format("expected {}, found {}", text_of(schema["const"]), text_of(value)));
    }
    const auto choices = schema.find("enum");
    if (choices != schema.end() &&
        std::find(choices->begin(), choices->end(), value) == choices->end()) {
      fail(where, fmt::format("expected one of {}, found {}", text_of(*choices), text_of(value)));
    }
  }

  void check_number(const json& schema, const json& value, const std::string& where) {
    if (schema.contains("minimum") && value < schema["minimum"]) {
      fail(where, fmt::format("expected {} or more, found {}", text_of(schema["minimum"]),
                              text_of(value)));
    }
    if (schema.contains("maximum") && value > schema["maximum"]) {
      fail(where, fmt::format("expected {} or less, found {}", text_of(schema["maximum"]),
                              text_of(value)));
    }
  }

  void check_string(const json& schema, const std::string& text, const std::string& where) {
    const auto shortest = schema.value("minLength", std::size_t{0});
    const auto longest = schema.value("maxLength", text.size());
    if (text.size() < shortest || text.size() > longest) {
      fail(where,
           fmt::format("expected {} to {} characters, found {}", shortest, longest, text.size()));
    }
    const auto pattern = schema.find("pattern");
    if (pattern != schema.end() && !fits(text, pattern->get<std::string>())) {
      fail(where, fmt::format("expected a text like {}, found {}", pattern->get<std::string>(),
                              text_of(text)));
    }
  }

  void check_members(const json& schema, const json& value, const std::string& where) {
    const json properties = schema.value("properties", json::object());
    for (const json& name : schema.value("required", json::array())) {
      if (!value.contains(name.get<std::string>())) {
        fail(where, name.get<std::string>() + " is missing");
      }
    }
    const bool closed =
        schema.contains("additionalProperties") && schema["additionalProperties"] == json(false);
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

std::vector<std::string> schema_problems(const json& schema, const json& value) {
  try {
    Checker checker;
    checker.check(schema, value, "");
    return std::move(checker.problems);
  } catch (const json::exception& error) {
    throw Error(CKB_CORRUPT, fmt::format("schema: {}", error.what()));
  }
}

}  // namespace ckptbridge
