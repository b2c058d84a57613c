// acme.safetensors-writer: one file, model.safetensors. In C++, over plugin.hpp and nothing else.
//
//   header size  8 bytes little-endian
//   header       {"NAME":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},…}, and blanks up to
//                a multiple of 8
//   data         the tensors one after the other, without gaps
//
// Tensors stand in the order of the reference implementation: by dtype, then by name.
#include <algorithm>
#include <array>

#include "ckptbridge/plugin.hpp"

namespace {

using ckptbridge::Dtype;
using ckptbridge::Error;
using ckptbridge::plugin::Graph;
using ckptbridge::plugin::Layout;
using ckptbridge::plugin::TensorView;

struct DtypeWord {
  Dtype dtype;
  std::string_view word;
};
// In the order of the reference implementation, which puts the last of these first into a file.
constexpr std::array<DtypeWord, 13> kDtypes = {{{ckptbridge::kBool, "BOOL"},
                                                {ckptbridge::kUInt8, "U8"},
                                                {ckptbridge::kInt8, "I8"},
                                                {ckptbridge::kInt16, "I16"},
                                                {ckptbridge::kUInt16, "U16"},
                                                {ckptbridge::kFloat16, "F16"},
                                                {ckptbridge::kBFloat16, "BF16"},
                                                {ckptbridge::kInt32, "I32"},
                                                {ckptbridge::kUInt32, "U32"},
                                                {ckptbridge::kFloat32, "F32"},
                                                {ckptbridge::kFloat64, "F64"},
                                                {ckptbridge::kInt64, "I64"},
                                                {ckptbridge::kUInt64, "U64"}}};

std::size_t dtype_index(const TensorView& tensor) {
  for (std::size_t i = 0; i < kDtypes.size(); ++i) {
    if (kDtypes[i].dtype == tensor.dtype) return i;
  }
  throw Error(CKB_UNSUPPORTED, std::string(tensor.name) + ": safetensors has no dtype " +
                                   ckptbridge::dtype_name(tensor.dtype));
}

std::string quoted(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      result += "\\u00";
      result += kDigits[static_cast<unsigned char>(c) >> 4];
      result += kDigits[static_cast<unsigned char>(c) & 15];
    } else {
      result += c;
    }
  }
  return result + "\"";
}

class SafetensorsWriter : public ckptbridge::plugin::Writer {
 public:
  explicit SafetensorsWriter(const char*) {}

  void lay_out(Graph& graph, Layout& out) override {
    const auto tensors = sorted_tensors(graph);
    std::string header = "{";
    std::uint64_t end = 0;
    std::vector<std::uint64_t> offsets;
    for (const TensorView& tensor : tensors) {
      offsets.push_back(end);
      std::uint64_t size = ckptbridge::item_size(tensor.dtype);
      std::string shape;
      for (const std::int64_t n : tensor.shape) {
        size *= static_cast<std::uint64_t>(n);  // the host has checked that it can be counted
        if (!shape.empty()) shape += ',';
        shape += std::to_string(n);
      }
      end += size;
      if (header.size() > 1) header += ',';
      header += quoted(tensor.name) + ":{\"dtype\":\"";
      header += kDtypes[dtype_index(tensor)].word;
      header += "\",\"shape\":[" + shape + "],\"data_offsets\":[";
      header += std::to_string(offsets.back()) + ',' + std::to_string(end) + "]}";
    }
    header += "}";
    header.resize((header.size() + 7) / 8 * 8, ' ');

    std::string start(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) start[i] = static_cast<char>(header.size() >> (8 * i));
    start += header;
    const std::uint32_t file = out.add_file("model.safetensors", start.size() + end);
    out.put_bytes(file, 0, std::as_bytes(std::span(start)));
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      out.put_value(file, start.size() + offsets[i], tensors[i].value);
    }
    for (std::uint64_t i = 0; i < graph.view().object_count(); ++i) {
      graph.drop_object(graph.view().object(i).name, "safetensors holds tensors only");
    }
  }

 private:
  static std::vector<TensorView> sorted_tensors(const Graph& graph) {
    const auto in = graph.view();
    std::vector<TensorView> tensors;
    for (std::uint64_t i = 0; i < in.tensor_count(); ++i) {
      tensors.push_back(in.tensor(i));
      if (tensors.back().mp_world_size != 1) {
        throw Error(CKB_UNSUPPORTED, std::string(tensors.back().name) +
                                         ": is cut over several ranks; join them first");
      }
    }
    std::sort(tensors.begin(), tensors.end(), [](const TensorView& a, const TensorView& b) {
      const auto left = dtype_index(a);
      const auto right = dtype_index(b);
      return left != right ? left > right : a.name < b.name;
    });
    return tensors;
  }
};

}  // namespace

CKPTBRIDGE_WRITER(SafetensorsWriter, "acme.safetensors-writer", CKPTBRIDGE_VERSION)
