// What a checkpoint is, and what can be done with it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "ckptbridge/error.hpp"
#include "core/checkpoint.h"

namespace ckptbridge {

struct DtypeCount {
  std::uint64_t tensors = 0;
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;
};

// A format that the checkpoint could become.
struct Target {
  std::string format;
  std::string chain;    // the line for `ckptbridge run`, with OUT as the output
  std::string problem;  // why not, found by trying all but the writing; "": it could
};

struct Inspection {
  std::string format;
  std::string summary;            // of the format
  std::string reader;             // id; "": nothing reads it, and text says what it is
  std::vector<std::string> text;  // of manifests that recognise it
  std::string problem;            // why it cannot be read whole: incomplete, damaged; "": it can
  std::optional<Error> failure;   // the same, with what it is about

  Properties properties;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;  // of tensors
  std::uint64_t mp_ranks = 0;
  std::map<std::string, std::uint64_t> roles;  // tensors of each
  std::map<std::string, DtypeCount> dtypes;
  std::uint64_t objects = 0;
  std::vector<std::string> unread;  // files below the input that the reader did not open

  std::string model_size;          // the profile that fits; "": none was asked for or fits
  std::vector<std::string> notes;  // what the transforms say of the model: which size, and why
  std::vector<Target> targets;     // formats to which a chain leads; empty where none does
};

// Looks at metadata only. checkpoint becomes what was opened: it has no value where no reader was
// found, and its graph is empty where there is a problem. Throws UNSUPPORTED for an input that
// nothing here knows; what is known but damaged is a problem of the inspection.
Inspection inspect(const Registry& registry, const Input& input, const ReadSettings& settings,
                   std::optional<Checkpoint>& checkpoint);

}  // namespace ckptbridge
