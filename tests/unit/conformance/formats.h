// The formats that ship, and what each of them cannot hold: a new reader or writer plugin is listed
// in formats.cpp, and has all tests of this folder by that.
#pragma once

#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "tests/unit/conformance/source.h"

namespace ckptbridge {

// Case -> what the error says behind the name of the tensor.
using Refusals = std::map<std::string, std::string>;

// A writer, and the reader that reads back what it wrote.
struct Format {
  std::string name;         // words, for the names of tests
  std::string writer = {};  // "": no plugin writes it, but make does
  std::string reader = {};
  std::string names = {};   // whose names the writer asks for
  bool keeps_ties = false;  // tensors of one value are of one value when they are read back
  Refusals refuses = {};    // all other cases come back bit by bit
  // Makes a checkpoint of these tensors at a path.
  std::function<void(const std::vector<SourceTensor>&, const boost::filesystem::path&)> make = {};
  // Whether make can make it; none: whatever it is.
  std::function<bool(const SourceTensor&)> fits = {};
};

inline void PrintTo(const Format& format, std::ostream* out) { *out << format.name; }

const std::vector<Format>& formats();

}  // namespace ckptbridge
