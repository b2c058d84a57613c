// The folders in which plugins are looked for, and who may write them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/filesystem/path.hpp>
#include <sys/types.h>

namespace ckptbridge {

enum class Origin { kOption, kEnvironment, kUser, kLocal, kInstalled };

// What the user calls the origin of a folder: "--plugin-dir", "CKPTBRIDGE_PLUGIN_PATH", …
std::string_view origin_name(Origin origin);

struct SearchFolder {
  boost::filesystem::path path;
  Origin origin = Origin::kInstalled;
};

struct SearchPath {
  std::vector<SearchFolder> folders;  // the first that has an id wins
  uid_t caller = 0;
  uid_t installer = 0;  // owner of the program; who can replace it may as well place plugins
};

// getenv, or a table in a test. May return nullptr.
using Environment = std::function<const char*(const char*)>;

// --plugin-dir, CKPTBRIDGE_PLUGIN_PATH, $XDG_DATA_HOME/ckptbridge/plugins-1,
// /usr/local/lib/ckptbridge/plugins-1, ../lib/ckptbridge/plugins-1 as seen from the program.
SearchPath make_search_path(const std::vector<std::string>& plugin_dirs,
                            const Environment& environment, const boost::filesystem::path& program,
                            uid_t caller);

// Why nothing may be loaded from the file or folder at path: others than root, the caller and the
// installer may write it. "" when it is safe; path must exist.
std::string writable_by_others(const boost::filesystem::path& path, const SearchPath& who);

// Why a folder is not looked into at all, "" when it is. Does not look at the disk.
std::string untrusted_folder(const SearchFolder& folder, uid_t caller);

}  // namespace ckptbridge
