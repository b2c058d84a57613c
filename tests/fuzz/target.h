// What all fuzz targets share: the entry point, and what counts as an answer.
//
// A target hands foreign bytes to one parser. A result and an Error are answers; everything else
// (another exception, a sanitizer's report, an abort) ends the process and is a finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "ckptbridge/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace ckptbridge::fuzz {

inline std::span<const std::byte> bytes_of(const std::uint8_t* data, std::size_t size) {
  return std::as_bytes(std::span(data, size));
}

inline std::string text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// A promise of the parser's was broken.
inline void require(bool kept) {
  if (!kept) std::abort();
}

// Runs body; true unless it threw an Error, whose message must say something.
template <class Body>
bool answers(Body&& body) {
  try {
    body();
    return true;
  } catch (const Error& error) {
    require(*error.what() != '\0');
    require(error.code() != CKB_OK && error.code() != CKB_INTERNAL);
    return false;
  }
}

}  // namespace ckptbridge::fuzz
