// A model size: the values of all configuration fields, read from profiles/*.json or a user's file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/profile_file.h"
#include "plugins/evo2/fields.h"
#include "plugins/evo2/value.h"

namespace ckptbridge::evo2 {

struct Profile {
  std::string name;
  std::vector<std::string> aliases;
  std::vector<std::string> notes;  // for the user, after success
  std::string origin;              // the file's name, for messages
  // NeMo's configuration class, the profile's own or its nearest ancestor's; "" if NeMo has none.
  std::string nemo_class;
  // The fields in which the profile departs from nemo_class, in the order of the field table.
  std::vector<std::string> overrides;
  std::map<std::string, Value, std::less<>> values;  // every field of the table

  // The value of a field of that type. A null number throws Error: no shape can depend on it.
  std::int64_t integer(std::string_view field) const;
  bool flag(std::string_view field) const;
  const std::string& text(std::string_view field) const;
};

// The profile with one more override of its class, as --use-subquadratic_ops asks for.
Profile with_override(Profile profile, const FieldTable& fields, const std::string& field,
                      const Value& value);

class Catalogue {
 public:
  // Reads FOLDER/*.json and FOLDER/shared/fields.json. Throws Error when one of them is damaged.
  explicit Catalogue(const std::filesystem::path& folder);

  // By number, then by name: 1b, 1b_nv, 7b, ... 40b_nv, test.
  const std::vector<Profile>& profiles() const { return profiles_; }
  const FieldTable& fields() const { return fields_; }
  const std::filesystem::path& folder() const { return folder_; }

  // By name or alias. Throws INVALID_ARGUMENT with the list of names.
  const Profile& find(std::string_view name) const;

  // A user's profile, which may inherit from those of the catalogue, and takes none of their names.
  Profile read(const std::filesystem::path& file) const;
  // The same from a file's content; origin names it in messages.
  Profile parse(const Json& json, const std::string& origin) const;

 private:
  std::filesystem::path folder_;
  FieldTable fields_;
  std::vector<ProfileFile> files_;
  std::vector<Profile> profiles_;  // of the files, in their order
};

}  // namespace ckptbridge::evo2
