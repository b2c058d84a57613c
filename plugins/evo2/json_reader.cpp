#include "plugins/evo2/json_reader.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "ckptbridge/error.hpp"
#include "plugins/evo2/value.h"

namespace ckptbridge::evo2 {
namespace {

constexpr std::size_t kMaxFileSize = 1 << 20;
constexpr int kMaxDepth = 64;

std::string read_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw Error(CKB_NOT_FOUND, file.string() + ": cannot be opened");
  std::string text;
  std::array<char, 16384> piece{};
  while (stream && text.size() <= kMaxFileSize) {
    stream.read(piece.data(), piece.size());
    text.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
  }
  if (stream.bad()) throw Error(CKB_IO, file.string() + ": cannot be read");
  if (text.size() > kMaxFileSize) {
    throw Error(CKB_INVALID_ARGUMENT, file.string() + ": is larger than 1 MiB");
  }
  return text;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string to_text(const Value& value) {
  struct Visitor {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const { return Json(number).dump(); }
    std::string operator()(const std::string& text) const { return Json(text).dump(); }
  };
  return std::visit(Visitor{}, value);
}

Json read_json(const std::filesystem::path& file) {
  const std::string text = read_text(file);
  std::vector<std::set<std::string>> members;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kMaxDepth) {
      throw Error(CKB_INVALID_ARGUMENT, file.string() + ": is nested deeper than 64");
    }
    if (event == Json::parse_event_t::object_start) members.emplace_back();
    if (event == Json::parse_event_t::object_end) members.pop_back();
    if (event == Json::parse_event_t::key &&
        !members.back().insert(parsed.get<std::string>()).second) {
      throw Error(CKB_INVALID_ARGUMENT,
                  file.string() + ": has the member " + parsed.dump() + " twice");
    }
    return true;
  };
  try {
    Json json = Json::parse(text, check);
    if (!json.is_object()) {
      throw Error(CKB_INVALID_ARGUMENT, file.string() + ": holds no JSON object");
    }
    return json;
  } catch (const Json::parse_error& error) {
    const std::size_t end = std::min(error.byte, text.size());
    const auto line =
        std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n') + 1;
    throw Error(CKB_INVALID_ARGUMENT,
                file.string() + ": line " + std::to_string(line) + " is not valid JSON");
  } catch (const Json::out_of_range&) {
    throw Error(CKB_INVALID_ARGUMENT, file.string() + ": has a number that is too large");
  }
}

std::optional<std::string> closest(std::string_view word,
                                   const std::vector<std::string>& candidates) {
  constexpr std::size_t kLongest = 100;  // bounds the work for hostile words
  if (word.size() > kLongest) return std::nullopt;
  std::optional<std::string> best;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongest) continue;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < least && distance < candidate.size()) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  const std::optional<std::string> near = closest(word, candidates);
  return near ? "; did you mean \"" + *near + "\"?" : "";
}

Members::Members(const Json& object, std::string where)
    : object_(object), where_(std::move(where)), asked_{"comment"} {
  if (!object_.is_object()) {
    throw Error(CKB_INVALID_ARGUMENT,
                where_ + ": expected an object, found " + std::string(object_.type_name()));
  }
}

void Members::fail(const std::string& name, const std::string& message) const {
  throw Error(CKB_INVALID_ARGUMENT, where_ + ": " + name + ": " + message);
}

const Json* Members::find(const std::string& name) {
  asked_.push_back(name);
  const auto found = object_.find(name);
  return found == object_.end() ? nullptr : &*found;
}

const Json& Members::get(const std::string& name) {
  const Json* found = find(name);
  if (found == nullptr) fail(name, "is missing");
  return *found;
}

std::string Members::text(const std::string& name) {
  const Json& found = get(name);
  if (!found.is_string()) fail(name, "expected a text, found " + found.dump());
  return found.get<std::string>();
}

std::string Members::text_or(const std::string& name, std::string otherwise) {
  return object_.contains(name) ? text(name) : (asked_.push_back(name), std::move(otherwise));
}

bool Members::flag_or(const std::string& name, bool otherwise) {
  const Json* found = find(name);
  if (found == nullptr) return otherwise;
  if (!found->is_boolean()) fail(name, "expected true or false, found " + found->dump());
  return found->get<bool>();
}

std::int64_t Members::integer(const std::string& name, std::int64_t least, std::int64_t most) {
  const Json& found = get(name);
  const bool fits =
      found.is_number_integer() &&
      (!found.is_number_unsigned() || found.get<std::uint64_t>() <= std::uint64_t{INT64_MAX});
  if (!fits || found.get<std::int64_t>() < least || found.get<std::int64_t>() > most) {
    fail(name, "expected an integer from " + std::to_string(least) + " to " + std::to_string(most) +
                   ", found " + found.dump());
  }
  return found.get<std::int64_t>();
}

const Json& Members::array(const std::string& name) {
  const Json& found = get(name);
  if (!found.is_array()) fail(name, "expected a list, found " + std::string(found.type_name()));
  return found;
}

std::vector<std::string> Members::texts(const std::string& name) {
  std::vector<std::string> out;
  for (const Json& entry : array(name)) {
    if (!entry.is_string()) fail(name, "expected a list of texts, found " + entry.dump());
    out.push_back(entry.get<std::string>());
  }
  return out;
}

void Members::require_all_known() const {
  for (const auto& [name, value] : object_.items()) {
    if (std::find(asked_.begin(), asked_.end(), name) == asked_.end()) {
      fail(name, "unknown member" + suggestion(name, asked_));
    }
  }
}

}  // namespace ckptbridge::evo2
