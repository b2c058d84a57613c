// The one exception type of ckptbridge: in the core, in the command and inside plugins.
//
// It never crosses the plugin boundary: there it is a ckb_status, a message, and what the message
// is about (draft/error_about.h).
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "ckptbridge/plugin.h"

namespace ckptbridge {

// What a failure is about, for programs. A member is right or empty, never a guess.
struct About {
  std::string file = {};    // the path, as the message writes it
  std::string tensor = {};  // the name
  std::string hint = {};    // what the user can do
};

// A failure with a code for programs and a message for the user. The message names the file or
// tensor, what was found, what was expected, and what to do; lower case, no full stop.
class Error : public std::runtime_error {
 public:
  // A hint is told behind the message: "MESSAGE; HINT".
  Error(ckb_status code, const std::string& message, const About& about = {})
      : runtime_error(about.hint.empty() ? message : message + "; " + about.hint),
        code_(code),
        about_(std::make_shared<About>(about)) {}

  ckb_status code() const noexcept { return code_; }
  const About& about() const noexcept { return *about_; }

  // Another message, in which the hint is already, about the same.
  Error retold(ckb_status code, const std::string& message) const {
    Error other(code, message);
    other.about_ = about_;
    return other;
  }
  // Adds what is not known yet; the message stays.
  void add(const About& more) {
    About all = *about_;
    if (all.file.empty()) all.file = more.file;
    if (all.tensor.empty()) all.tensor = more.tensor;
    if (all.hint.empty()) all.hint = more.hint;
    about_ = std::make_shared<About>(std::move(all));
  }

 private:
  ckb_status code_;
  std::shared_ptr<const About> about_;  // shared: the copy of an exception may not throw
};

// Returns what body returns. An Error that body throws is about `about`, where the Error does not
// say what it is about.
template <class Body>
decltype(auto) about(const About& what, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (Error& error) {
    error.add(what);
    throw;
  }
}

}  // namespace ckptbridge
