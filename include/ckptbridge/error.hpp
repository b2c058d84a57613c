// The one exception type of ckptbridge: in the core, in the command and inside plugins.
//
// It never crosses the plugin boundary: there it is a ckb_status and a message.
#pragma once

#include <stdexcept>
#include <string>

#include "ckptbridge/plugin.h"

namespace ckptbridge {

// A failure with a code for programs and a message for the user. The message names the file or
// tensor, what was found, what was expected, and what to do; lower case, no full stop.
class Error : public std::runtime_error {
 public:
  Error(ckb_status code, const std::string& message) : runtime_error(message), code_(code) {}
  ckb_status code() const noexcept { return code_; }

 private:
  ckb_status code_;
};

}  // namespace ckptbridge
