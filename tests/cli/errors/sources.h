// The messages of errors, as the sources have them.
#pragma once

#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

namespace ckptbridge::errors {

struct SourceMessage {
  std::string place;  // "core/file.cpp:45"
  std::string text;   // the longest part of the message that stands there as it is told
};

// Those of each call that makes an Error, but where a message is put together elsewhere.
std::vector<SourceMessage> messages_in(const boost::filesystem::path& folder,
                                       const std::vector<std::string>& below);

}  // namespace ckptbridge::errors
