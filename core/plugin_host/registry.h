// Which plugins there are. Reads manifests only and loads nothing.
#pragma once

#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "core/plugin_host/manifest.h"
#include "core/plugin_host/search_path.h"

namespace ckptbridge {

// One manifest that was found, whether it can be used or not.
struct PluginEntry {
  std::string id;  // by the file's name where it does not parse
  boost::filesystem::path path;
  Origin origin = Origin::kInstalled;
  Manifest manifest;          // empty where problem is not
  std::string problem;        // why it cannot be used; "": it can
  bool corrupt = false;       // the problem is that it does not parse
  bool out_of_place = false;  // one of our names in a folder that may not provide it
  std::string shadowed_by;    // the manifest that comes first for this id; "": this one does
};

// One folder of the search path, and what became of it.
struct FolderReport {
  SearchFolder folder;
  std::string state;  // "absent", or why it was not read; "": it was
  std::vector<std::string> ids;
};

class Registry {
 public:
  // Reads every manifest on the path. Throws INVALID_ARGUMENT when a folder that the user named by
  // --plugin-dir cannot be used; all else is reported by the functions below.
  explicit Registry(const SearchPath& path);

  const std::vector<PluginEntry>& entries() const { return entries_; }  // by path, then by id
  const std::vector<FolderReport>& folders() const { return folders_; }

  // The manifest of a plugin that can be loaded. Throws NOT_FOUND, which lists each folder with
  // what was found in it, or says why the plugin cannot be used.
  const Manifest& require(const std::string& id) const;

  // The one usable plugin for a format. Throws INVALID_ARGUMENT with the formats there are, or with
  // the ids among which a chain written by hand must choose.
  const Manifest& require(Role role, const std::string& format) const;

  // Returns all usable manifests with a role, by id; the registry owns them.
  std::vector<const Manifest*> with_role(Role role) const;

  // The formats that the plugins with a role have, sorted, each once.
  std::vector<std::string> formats(Role role) const;

  // Readers whose patterns fit the file's name, or a name in the folder or in one of its folders.
  std::vector<const Manifest*> candidates(const boost::filesystem::path& input) const;

  // Makes the plugin that wins for an id unusable, for a reason that only the caller can know.
  void refuse(const std::string& id, const std::string& problem);

  // Where manifests were looked for and what was found, a line for each folder.
  std::string search_report() const;

 private:
  void read_folder(const SearchFolder& folder, const SearchPath& path);
  PluginEntry read_entry(const boost::filesystem::path& file, const SearchFolder& folder,
                         const SearchPath& path) const;
  const PluginEntry* find(const std::string& id) const;

  std::vector<PluginEntry> entries_;
  std::vector<FolderReport> folders_;
};

// Whether an id is one of ckptbridge's own plugins: vendors' ids have a dot.
bool is_ours(const std::string& id);

// The name of a file; of a folder, the names in it and in the folders directly below.
std::vector<std::string> names_at(const boost::filesystem::path& input);

}  // namespace ckptbridge
