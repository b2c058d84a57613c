#include "plugins/evo2/yaml.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <vector>

namespace ckptbridge::evo2 {
namespace {

// repr(float): the shortest digits that read back, with an exponent below 1e-4 and from 1e16 on.
std::string python_float(double number) {
  std::array<char, 64> buffer{};
  const auto scientific = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                                        std::chars_format::scientific);
  std::string text(buffer.data(), scientific.ptr);
  const char* digits = text.data() + text.find('e') + 1;
  int exponent = 0;
  std::from_chars(*digits == '+' ? digits + 1 : digits, text.data() + text.size(), exponent);
  if (exponent < -4 || exponent >= 16) return text;
  const auto fixed =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::fixed);
  std::string out(buffer.data(), fixed.ptr);
  return out.find('.') == std::string::npos ? out + ".0" : out;
}

// PyYAML's float has a dot always: YAML 1.1 reads 1e-06 as a text.
std::string yaml_float(double number) {
  std::string text = python_float(number);
  const std::size_t e = text.find('e');
  if (e != std::string::npos && text.find('.') == std::string::npos) text.insert(e, ".0");
  return text;
}

bool reads_as_another_type(std::string_view text) {
  static constexpr std::array<std::string_view, 30> kWords{
      "~",   "null", "Null", "NULL", "true", "True", "TRUE", "false", "False", "FALSE",
      "yes", "Yes",  "YES",  "no",   "No",   "NO",   "on",   "On",    "ON",    "off",
      "Off", "OFF",  "y",    "Y",    "n",    "N",    "=",    "<<",    "---",   "..."};
  if (std::find(kWords.begin(), kWords.end(), text) != kWords.end()) return true;
  // Numbers and dates; quoting a few more texts than PyYAML does changes no data.
  return std::string_view("0123456789+-.").find(text[0]) != std::string_view::npos;
}

bool is_plain(std::string_view text) {
  if (text.empty() || reads_as_another_type(text)) return false;
  if (std::string_view("#,[]{}&*!|>'\"%@`?:- ").find(text.front()) != std::string_view::npos) {
    return false;
  }
  return text.back() != ' ' && text.back() != ':' && text.find(": ") == std::string_view::npos &&
         text.find(" #") == std::string_view::npos;
}

std::string yaml_text(const std::string& text) {
  const bool printable =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  // A JSON string in ASCII is a double-quoted YAML scalar.
  if (!printable) return Json(text).dump(-1, true);
  if (is_plain(text)) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

std::string yaml_scalar(const Json& value) {
  if (value.is_number() && !value.is_integer()) return yaml_float(value.get<double>());
  if (value.is_string()) return yaml_text(value.text());
  return value.dump();  // null, booleans, integers, [] and {}
}

void append_yaml(const Json& value, const std::string& indent, std::string& out) {
  if (value.is_array()) {
    for (const Json& entry : value) out += indent + "- " + yaml_scalar(entry) + "\n";
    return;
  }
  std::vector<std::string> names;
  for (const auto& [name, member] : value.items()) names.push_back(name);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const Json& member = value[name];
    out += indent + yaml_text(name) + ":";
    if ((member.is_array() || member.is_object()) && !member.empty()) {
      out += "\n";
      append_yaml(member, member.is_array() ? indent : indent + "  ", out);
    } else {
      out += " " + yaml_scalar(member) + "\n";
    }
  }
}

void append_json(const Json& value, std::string& out) {
  if (value.is_object()) {
    out += "{";
    const char* separator = "";
    for (const auto& [name, member] : value.items()) {
      out += separator + Json(name).dump(-1, true) + ": ";
      append_json(member, out);
      separator = ", ";
    }
    out += "}";
  } else if (value.is_array()) {
    out += "[";
    const char* separator = "";
    for (const Json& entry : value) {
      out += separator;
      append_json(entry, out);
      separator = ", ";
    }
    out += "]";
  } else if (value.is_number() && !value.is_integer()) {
    out += python_float(value.get<double>());
  } else {
    out += value.dump(-1, true);
  }
}

}  // namespace

std::string dump_yaml(const Json& value) {
  std::string out;
  append_yaml(value, "", out);
  return out;
}

std::string dump_json(const Json& value) {
  std::string out;
  append_json(value, out);
  return out;
}

}  // namespace ckptbridge::evo2
