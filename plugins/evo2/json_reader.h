// JSON files with errors that name the file and the member.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ckptbridge::evo2 {

using Json = nlohmann::ordered_json;

// Reads one JSON object. Refuses files over 1 MiB, nesting deeper than 64 and members given twice.
Json read_json(const std::filesystem::path& file);

// The candidate that a typing error away from word gives; nothing when none is near.
std::optional<std::string> closest(std::string_view word,
                                   const std::vector<std::string>& candidates);

// ", did you mean "x"?", or nothing when no candidate is near.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

// Hands out the members of an object; each reader throws Error when the member has another type.
// where ("7b.json") opens every message. The object must outlive the reader.
class Members {
 public:
  Members(const Json& object, std::string where);

  const Json* find(const std::string& name);
  const Json& get(const std::string& name);
  std::string text(const std::string& name);
  std::string text_or(const std::string& name, std::string otherwise);
  bool flag_or(const std::string& name, bool otherwise);
  std::int64_t integer(const std::string& name, std::int64_t least, std::int64_t most);
  std::vector<std::string> texts(const std::string& name);
  // The member must be an array.
  const Json& array(const std::string& name);

  // Throws Error when the object has a member that nobody asked for. "comment" is always allowed.
  void require_all_known() const;

  // Throws Error: where: member: message.
  [[noreturn]] void fail(const std::string& name, const std::string& message) const;
  const std::string& where() const { return where_; }

 private:
  const Json& object_;
  std::string where_;
  std::vector<std::string> asked_;
};

}  // namespace ckptbridge::evo2
