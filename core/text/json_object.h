// Reads one JSON object that a person wrote: each error names the file and the member.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ckptbridge {

// Parses text. Throws CORRUPT, with where, line and column, when text is not JSON, and when one of
// its strings contains a NUL, which would cut a path or a C string short.
nlohmann::json parse_json(const std::string& text, const std::string& where);

// A view of a JSON object. The object must outlive it.
class JsonObject {
 public:
  // where stands in front of each error: the path of the file, or path and member. Throws CORRUPT
  // when the value is not an object, as do the functions below for a member of another type.
  JsonObject(const nlohmann::json& object, std::string where);

  const std::string& where() const { return where_; }

  // Throws CORRUPT when the member is absent.
  std::string string(const std::string& name);
  std::int64_t integer(const std::string& name);

  // The value, or what an absent member means.
  std::string string_or(const std::string& name, const std::string& fallback);
  bool boolean_or(const std::string& name, bool fallback);
  std::vector<std::string> strings(const std::string& name);               // absent: none
  std::map<std::string, std::string> string_map(const std::string& name);  // absent: none

  // nullptr when the member is absent.
  const nlohmann::json* find(const std::string& name);

  // Names of the members that nothing above has asked for so far.
  std::vector<std::string> unread() const;

  // Throws CORRUPT where there is a member of another name.
  void require_only(const std::vector<std::string>& names) const;

  // Throws CORRUPT: "<where>: <name>: <problem>", and the hint behind it where there is one.
  [[noreturn]] void refuse(const std::string& name, const std::string& problem,
                           const std::string& hint = "") const;

 private:
  const nlohmann::json& require(const std::string& name);

  const nlohmann::json* object_;
  std::string where_;
  std::set<std::string> asked_;
};

}  // namespace ckptbridge
