// Reads one JSON object that a person or another program wrote: each error names the file and the
// member, says what was expected, and shows what was found.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ckptbridge/plugin.h"
#include "core/text/json.h"

namespace ckptbridge {

// A view of a JSON object. The object must outlive it. A function throws CORRUPT for a member of
// another type than its own, and for one that is absent where nothing is said of absent members.
class JsonObject {
 public:
  // where stands in front of each error: the path of the file, or path and member. Throws CORRUPT
  // when the value is not an object.
  JsonObject(const Json& value, std::string where);

  const std::string& where() const { return where_; }

  // nullptr when the member is absent.
  const Json* find(std::string_view name);
  const Json& get(std::string_view name);

  std::string string(std::string_view name);
  bool boolean(std::string_view name);
  std::int64_t integer(std::string_view name,
                       std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                       std::int64_t most = std::numeric_limits<std::int64_t>::max());
  const Json::Array& array(std::string_view name);
  std::vector<std::int64_t> sizes(std::string_view name, std::int64_t least = 0);
  JsonObject object(std::string_view name);
  std::vector<JsonObject> objects(std::string_view name);

  // The value, or what an absent member means.
  std::string string_or(std::string_view name, const std::string& fallback);
  bool boolean_or(std::string_view name, bool fallback);
  std::int64_t integer_or(std::string_view name, std::int64_t fallback);
  std::vector<std::string> strings(std::string_view name);               // absent: none
  std::map<std::string, std::string> string_map(std::string_view name);  // absent: none

  // Names of the members that nothing above has asked for so far.
  std::vector<std::string> unread() const;
  // Throws CORRUPT where there are such members, but for "comment", which is for people. The
  // message suggests the nearest of the names that were asked for.
  void require_all_read() const;

  // Throws "<where>: <name>: <problem>", and the hint behind it where there is one.
  [[noreturn]] void refuse(std::string_view name, const std::string& problem,
                           const std::string& hint = "") const;
  // Throws "<where>: <name>: expected <what>, found <the member's value>".
  [[noreturn]] void expected(std::string_view name, const std::string& what,
                             ckb_status code = CKB_CORRUPT) const;

 private:
  [[noreturn]] void expected(const std::string& place, const std::string& what, const Json& found,
                             ckb_status code = CKB_CORRUPT) const;
  std::string misspelt(std::string_view name) const;
  std::string place(std::string_view name) const;

  const Json* object_;
  std::string where_;
  std::vector<std::string> asked_;
};

}  // namespace ckptbridge
