// Writes tensors with one plugin and reads them with another.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/execute/value_reader.h"
#include "tests/paths.h"
#include "tests/unit/conformance/formats.h"
#include "tests/unit/conformance/source.h"
#include "tests/unit/toy/toy_run.h"

namespace ckptbridge {

struct FoundTensor {
  std::string form;  // "float32 [2, 3]"
  std::string bytes;
  ckb_node value = 0;
};
// By name and model-parallel rank.
using FoundTensors = std::map<std::pair<std::string, std::int32_t>, FoundTensor>;

inline std::string form_of(Dtype dtype, std::span<const std::int64_t> shape) {
  return dtype_name(dtype) + " " + shape_text(shape);
}

class RoundTrip {
 public:
  // Both must outlive it.
  RoundTrip(const Format& format, const std::vector<SourceTensor>& tensors)
      : format_(format), tensors_(tensors) {
    if (format.make) return;
    run_.set("names", format.names).set("drop_untouched", "elements that no view shows");
    run_.set("mp_world_size", std::to_string(tensors[0].mp_world_size)).writer(format.writer);
    for (const SourceTensor& tensor : tensors) add(tensor);
  }

  // Throws what the conversion throws.
  void write() {
    if (format_.make) {
      format_.make(tensors_, run_.folder() / "out");
    } else {
      Settings settings;
      settings.sync = false;
      run_.convert({}, {}, settings);
    }
  }
  const ToyRun& run() const { return run_; }

  // What the format's reader finds.
  FoundTensors read() const {
    const Input input{
        run_.folder() / "out", {}, "", run_.registry().require(format_.reader).format, {}};
    const Checkpoint found = open_checkpoint(run_.registry(), input, {});
    const Nodes& nodes = found.arena->nodes;
    ValueReader reader(*found.arena, std::size_t{1} << 20);
    FoundTensors tensors;
    for (const Tensor& tensor : found.graph.tensors()) {
      std::string bytes(nodes.size(tensor.value), '\0');
      if (!bytes.empty()) {
        reader.read(tensor.value, 0, nodes.count(tensor.value),
                    std::as_writable_bytes(std::span(bytes)));
      }
      tensors[{tensor.name, tensor.mp_rank}] = {
          form_of(nodes.dtype(tensor.value), nodes.shape(tensor.value)), bytes, tensor.value};
    }
    return tensors;
  }

 private:
  void add(const SourceTensor& tensor) {
    Json json = {{"name", tensor.name},
                 {"dtype", dtype_name(tensor.dtype)},
                 {"shape", tensor.shape},
                 {"mp_rank", tensor.mp_rank},
                 {"mp_world_size", tensor.mp_world_size},
                 {"role", tensor.role}};
    if (!tensor.tied_to.empty()) {
      json["tied_to"] = tensor.tied_to;
    } else {
      const std::string file = "storage" + std::to_string(files_++);
      run_.file(file, std::vector<char>(tensor.stored.begin(), tensor.stored.end()));
      json["file"] = file;
      json["offset"] = static_cast<std::uint64_t>(tensor.offset) * item_size(tensor.dtype);
      if (!tensor.strides.empty()) json["strides"] = tensor.strides;
    }
    run_.tensor(json);
  }

  const Format& format_;
  const std::vector<SourceTensor>& tensors_;
  ToyRun run_{/*with_compute=*/false, paths::plugins()};
  int files_ = 0;
};

}  // namespace ckptbridge
