// A .pt of a pickle that was put together by hand; storage 0 has one float.
#pragma once

#include <cstring>
#include <span>
#include <string>

#include "plugins/torch_file/torch_file.h"

namespace ckptbridge {

inline std::string pt_of(const std::string& pickle) {
  namespace tf = torch_file;
  const auto bytes = std::as_bytes(std::span(pickle));
  const std::uint64_t storages[] = {4};
  const tf::ZipLayout zip = tf::lay_out_torch_file(tf::Bytes(bytes.begin(), bytes.end()), storages);
  std::string file(zip.size, '\0');
  for (const auto& literal : zip.literals) {
    std::memcpy(file.data() + literal.offset, literal.bytes.data(), literal.bytes.size());
  }
  return file;
}

}  // namespace ckptbridge
