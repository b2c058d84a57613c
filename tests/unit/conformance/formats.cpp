#include "tests/unit/conformance/formats.h"

#include <cstring>
#include <initializer_list>

#include "tests/unit/flows/zero3_files.h"

namespace ckptbridge {
namespace {

Refusals all_of(std::initializer_list<Refusals> some) {
  Refusals all;
  for (const Refusals& each : some) all.insert(each.begin(), each.end());
  return all;
}

const Refusals kWhole = {
    {"replicated_ranks", ": is split over 3 ranks"},
    {"sharded_ranks", ": is split over 3 ranks"},
};
const Refusals kNeMo2 = {
    {"name_of_optimizer_state", ": is a name that NeMo2 checkpoints have for optimizer state only"},
};
const Refusals kNoFolder = {
    {"name_with_slash",
     ": is not a name for a folder, which each tensor has in zarr: it has a slash"},
    {"name_with_trailing_slash", ": is not a name for a folder"},
    {"name_with_backslash", ": is not a name for a folder"},
    {"name_that_climbs", ": is not a name for a folder"},
    {"absolute_name", ": is not a name for a folder"},
    {"name_dot",
     ": is not a name for a folder, which each tensor has in zarr: it stands for another"},
    {"name_dots", ": is not a name for a folder"},
    {"long_name",
     ": is not a name for a folder, which each tensor has in zarr: it is longer than 255"},
    {"longest_name", ": is not a name for a folder"},
    {"name_of_a_lock",
     ": is not a name for a folder, which each tensor has in zarr: loaders take it"},
    {"name_of_a_file_beside",
     ": is not a name for a folder, which each tensor has in zarr: a file of"},
    {"name_of_metadata_beside", ": is not a name for a folder"},
};
const Refusals kNoFloat8 = {
    {"float8_e4m3fn", ": zarr checkpoints have no name for float8_e4m3fn"},
    {"float8_e4m3fnuz", ": zarr checkpoints have no name for float8_e4m3fnuz"},
    {"float8_e5m2", ": zarr checkpoints have no name for float8_e5m2"},
    {"float8_e5m2fnuz", ": zarr checkpoints have no name for float8_e5m2fnuz"},
    {"float8_e8m0fnu", ": zarr checkpoints have no name for float8_e8m0fnu"},
};
const Refusals kModel = {
    {"optimizer_state", ": is exp_avg, but these files hold parameters and buffers only"},
    {"optimizer_state_beside_its_parameter",
     ": is exp_avg_sq, but these files hold parameters and buffers only"},
};

// Masters of parameters are contiguous float32.
bool is_master(const SourceTensor& tensor) {
  return tensor.dtype == kFloat32 && tensor.role == "param" && tensor.is_contiguous();
}

// In one flat group, of two data-parallel ranks; all model-parallel ranks have the same shapes.
void make_zero3(const std::vector<SourceTensor>& tensors, const boost::filesystem::path& folder) {
  std::map<std::pair<std::string, int>, std::string> contents;
  Zero3Files files;
  files.groups.emplace_back();
  for (const SourceTensor& tensor : tensors) {
    files.mp_world = tensor.mp_world_size;
    contents[{tensor.name, tensor.mp_rank}] = tensor.content();
    if (!tensor.tied_to.empty()) {
      files.tied.emplace_back(tensor.name, tensor.tied_to);
    } else if (tensor.mp_rank == 0) {
      files.groups[0].push_back({tensor.name, tensor.shape});
    }
  }
  files.element = [&](const std::string& name, int mp_rank, std::int64_t index) {
    float element = 0;
    const std::string& bytes = contents.at({name, mp_rank});
    std::memcpy(&element, bytes.data() + static_cast<std::size_t>(index) * sizeof(element),
                sizeof(element));
    return element;
  };
  files.write(folder);
}

}  // namespace

const std::vector<Format>& formats() {
  static const std::vector<Format> all = {
      {.name = "Pt",
       .writer = "pt-writer",
       .reader = "zero1-reader",
       .names = "toy",
       .keeps_ties = true,
       .refuses = all_of({kWhole, kModel})},
      {.name = "Safetensors",
       .writer = "safetensors-writer",
       .reader = "safetensors-reader",
       .names = "toy",
       .refuses = all_of(
           {kWhole,
            kModel,
            {{"complex128", ": safetensors has no complex128"},
             {"name_metadata", ": is the name that safetensors has for facts about a file"}}})},
      {.name = "Zero1",
       .writer = "zero1-writer",
       .reader = "zero1-reader",
       .names = "savanna",
       .keeps_ties = true,
       .refuses = kModel},
      {.name = "TorchDist",
       .writer = "nemo2-torch_dist-writer",
       .reader = "nemo2-torch_dist-reader",
       .names = "megatron",
       .refuses = all_of({kWhole, kModel, kNeMo2})},
      {.name = "Zarr",
       .writer = "nemo2-zarr-writer",
       .reader = "nemo2-zarr-reader",
       .names = "megatron",
       .refuses = all_of({kWhole, kModel, kNeMo2, kNoFolder, kNoFloat8})},
      {.name = "Zero3",
       .reader = "zero3-reader",
       .keeps_ties = true,
       .make = make_zero3,
       .fits = is_master},
  };
  return all;
}

}  // namespace ckptbridge
