// The verbs of the command, one file each, and the table of them; those of presets come from the
// registry.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ckptbridge::cli {

using Arguments = std::vector<std::string>;  // behind the verb

// Each returns the exit code, or throws Error. dry_run: as `plan` does it.
int convert(const Arguments& arguments, bool dry_run);
int run(const Arguments& arguments, bool dry_run);
int plan(const Arguments& arguments);
int verify(const Arguments& arguments);
int diff(const Arguments& arguments);
int inspect(const Arguments& arguments);
int plugins(const Arguments& arguments);
int profiles(const Arguments& arguments);

struct Verb {
  std::string_view name;
  std::string_view summary;
  int (*run)(const Arguments&);
  int (*convert)(const Arguments&, bool dry_run);  // instead of run: it converts
};

// The program's own.
const std::vector<Verb>& verbs();

// Of these, whether written with hyphens or underscores; nullptr: there is none.
const Verb* find_verb(std::string_view name);

}  // namespace ckptbridge::cli
