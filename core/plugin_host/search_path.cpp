#include "core/plugin_host/search_path.h"

#include <cerrno>
#include <cstring>
#include <grp.h>
#include <pwd.h>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>
#include <sys/stat.h>

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;

constexpr uid_t kRoot = 0;
constexpr const char* kBelowLib = "ckptbridge/plugins-1";  // carries the ABI's major

// A group that holds nobody but the caller, as distributions make for each user: writable by it is
// writable by the caller.
bool is_private_group(gid_t group, uid_t caller) {
  const passwd* user = getpwuid(caller);  // NOLINT(concurrency-mt-unsafe): before any thread
  if (user == nullptr) return false;
  const std::string name = user->pw_name;
  if (user->pw_gid != group) return false;
  const struct group* entry = getgrgid(group);  // NOLINT(concurrency-mt-unsafe)
  if (entry == nullptr || name != entry->gr_name) return false;
  for (char** member = entry->gr_mem; *member != nullptr; ++member) {
    if (name != *member) return false;
  }
  return true;
}

}  // namespace

std::string_view origin_name(Origin origin) {
  switch (origin) {
    case Origin::kOption:
      return "--plugin-dir";
    case Origin::kEnvironment:
      return "CKPTBRIDGE_PLUGIN_PATH";
    case Origin::kUser:
      return "XDG_DATA_HOME";
    case Origin::kLocal:
      return "local";
    case Origin::kInstalled:
      break;
  }
  return "installed";
}

SearchPath make_search_path(const std::vector<std::string>& plugin_dirs,
                            const Environment& environment, const fs::path& program, uid_t caller) {
  const auto variable = [&](const char* name) -> std::string {
    const char* value = environment(name);
    return value == nullptr ? "" : value;
  };
  SearchPath path;
  path.caller = caller;
  path.installer = caller;
  struct stat status {};
  if (stat(program.c_str(), &status) == 0) path.installer = status.st_uid;

  for (const auto& folder : plugin_dirs) {
    path.folders.push_back({fs::absolute(folder), Origin::kOption});
  }
  const std::string list = variable("CKPTBRIDGE_PLUGIN_PATH");
  for (std::size_t begin = 0; begin < list.size();) {
    const auto end = std::min(list.find(':', begin), list.size());
    if (end > begin)
      path.folders.push_back({list.substr(begin, end - begin), Origin::kEnvironment});
    begin = end + 1;
  }
  fs::path data_home = variable("XDG_DATA_HOME");
  if (data_home.empty() && !variable("HOME").empty()) {
    data_home = fs::path(variable("HOME")) / ".local/share";
  }
  if (!data_home.empty()) path.folders.push_back({data_home / kBelowLib, Origin::kUser});
  path.folders.push_back({fs::path("/usr/local/lib") / kBelowLib, Origin::kLocal});
  const auto installed = program.parent_path().parent_path() / "lib" / kBelowLib;
  // Installed below /usr/local, the last two are one.
  if (installed == path.folders.back().path) path.folders.pop_back();
  path.folders.push_back({installed, Origin::kInstalled});
  return path;
}

std::string writable_by_others(const fs::path& path, const SearchPath& who) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return std::strerror(errno);  // NOLINT(concurrency-*)
  if (status.st_uid != kRoot && status.st_uid != who.caller && status.st_uid != who.installer) {
    return fmt::format("{} belongs to user {}, neither to you nor to root", path.string(),
                       status.st_uid);
  }
  if ((status.st_mode & S_IWOTH) != 0) {
    return fmt::format("anybody may write {}; chmod o-w it", path.string());
  }
  if ((status.st_mode & S_IWGRP) != 0 && !is_private_group(status.st_gid, who.caller)) {
    return fmt::format("group {} may write {}; chmod g-w it", status.st_gid, path.string());
  }
  return "";
}

std::string untrusted_folder(const SearchFolder& folder, uid_t caller) {
  const bool named = folder.origin == Origin::kEnvironment || folder.origin == Origin::kUser;
  if (named && caller == kRoot) {
    return "not searched for root, who loads plugins from system folders and --plugin-dir only";
  }
  if (named && !folder.path.is_absolute()) return "not searched, because the path is not absolute";
  return "";
}

}  // namespace ckptbridge
