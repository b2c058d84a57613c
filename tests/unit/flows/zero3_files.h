// Makes checkpoints of ZeRO stage 3 with the headers that DeepSpeed writes: small ones that a test
// bends, or as large as a real run's, whose tensors are holes.
#pragma once

#include <fcntl.h>
#include <functional>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <boost/filesystem.hpp>
#include <fmt/format.h>

#include "plugins/deepspeed/flat_groups.h"
#include "plugins/torch_file/pickler.h"
#include "plugins/torch_file/tensor.h"
#include "plugins/torch_file/torch_file.h"

namespace ckptbridge {

struct Zero3Files {
  using Element = std::function<float(const std::string& name, int mp_rank, std::int64_t index)>;

  int dp_world = 2;
  int mp_world = 1;
  std::vector<std::vector<deepspeed::ParamShape>> groups;
  std::vector<deepspeed::ParamShape> buffers;             // float32 zeros
  std::vector<std::string> extra_states;                  // 40 bytes each
  std::vector<std::pair<std::string, std::string>> tied;  // name, the parameter it shares
  Element element;                                        // none: holes

  // Parameters lie over all processes, and model-parallel ranks have the same ones: zero.Init
  // without a data-parallel group.
  bool spread = false;

  // What DeepSpeed says in every file, for a test to contradict.
  std::int64_t global_steps = 2;
  std::int64_t zero_stage = 3;
  std::string ds_version = "0.19.8";

  void write(const boost::filesystem::path& folder) const {
    for (int dp = 0; dp < dp_world; ++dp) {
      for (int mp = 0; mp < mp_world; ++mp) {
        write_model(folder, dp, mp);
        write_optimizer(folder, dp, mp);
      }
    }
  }

  static std::string model_name(int dp, int mp) {
    return fmt::format("zero_pp_rank_{}_mp_rank_{:02}_model_states.pt", dp, mp);
  }
  static std::string optimizer_name(int dp, int mp) {
    return fmt::format("bf16_zero_pp_rank_{}_mp_rank_{:02}_optim_states.pt", dp, mp);
  }

  void write_model(const boost::filesystem::path& folder, int dp, int mp) const {
    File file;
    const auto module = torch_file::make_ordered_dict(file.values);
    const auto shapes = file.values.list();
    for (const auto& group : groups) {
      const auto dict = torch_file::make_ordered_dict(file.values);
      for (const auto& [name, shape] : group) {
        file.set(module, name, file.tensor(kBFloat16, {0}));
        file.set(dict, name, torch_file::make_size(file.values, shape));
      }
      file.values.append(shapes, dict);
    }
    const auto names = file.values.list();
    for (const auto& [name, shape] : buffers) {
      file.set(module, name, file.tensor(kFloat32, shape));
      file.values.append(names, file.values.string(name));
    }
    for (const auto& name : extra_states) file.set(module, name, file.tensor(kUInt8, {40}));
    const auto shared = file.values.dict();
    for (const auto& [name, kept] : tied) {
      file.set(module, name, file.tensor(kBFloat16, {0}));
      // As DeepSpeed: global rank 0 alone knows.
      if (dp == 0 && mp == 0) file.set(shared, name, file.values.string(kept));
    }
    const auto root = file.values.dict();
    file.set(root, "module", module);
    file.set(root, "buffer_names", names);
    file.set(root, "optimizer", torch_file::Values::none());
    file.set(root, "param_shapes", shapes);
    file.set(root, "frozen_param_shapes", torch_file::make_ordered_dict(file.values));
    file.set(root, "shared_params", shared);
    file.set(root, "frozen_param_fragments", torch_file::make_ordered_dict(file.values));
    file.set(root, "global_steps", file.values.integer(global_steps));
    file.set(root, "dp_world_size", file.values.integer(dp_world));
    file.set(root, "mp_world_size", file.values.integer(mp_world));
    file.set(root, "ds_version", file.values.string(ds_version));
    file.set(root, "iteration", file.values.integer(global_steps));
    std::vector<torch_file::ValueId> state;
    for (int i = 0; i < 625; ++i) state.push_back(file.values.integer(2147483648 + i * dp));
    file.set(root, "random_rng_state", file.values.tuple(state));
    file.set(root, "torch_rng_state", file.tensor(kUInt8, {5056}));
    file.write(folder / model_name(dp, mp), root);
  }

  void write_optimizer(const boost::filesystem::path& folder, int dp, int mp) const {
    File file;
    const auto flat = file.values.list();
    const auto state = file.values.dict();
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const deepspeed::FlatGroup group(groups[g], spread ? dp_world * mp_world : dp_world);
      const std::vector<std::int64_t> shape{group.size()};
      file.values.append(flat, file.tensor(kFloat32, shape, true, bytes(group, dp, mp)));
      const auto moments = file.values.dict();
      file.set(moments, "step", file.tensor(kFloat32, {}));
      file.set(moments, "exp_avg", file.tensor(kFloat32, shape));
      file.set(moments, "exp_avg_sq", file.tensor(kFloat32, shape));
      file.values.set_item(state, file.values.integer(static_cast<std::int64_t>(g)), moments);
    }
    const auto adam = file.values.dict();
    file.set(adam, "state", state);
    const auto zero = file.values.dict();
    const auto stage = file.values.global("deepspeed.runtime.zero.config", "ZeroStageEnum");
    file.set(zero, "zero_stage",
             file.values.reduce(stage, file.values.tuple({file.values.integer(zero_stage)})));
    file.set(zero, "partition_count", file.values.integer(dp_world));
    file.set(zero, "optimizer_state_dict", adam);
    file.set(zero, "fp32_flat_groups", flat);
    const auto root = file.values.dict();
    file.set(root, "optimizer_state_dict", zero);
    file.set(root, "ds_version", file.values.string(ds_version));
    file.write(folder / optimizer_name(dp, mp), root);
  }

 private:
  struct File {
    torch_file::Values values;
    std::vector<std::uint64_t> sizes;
    std::vector<std::string> contents;  // "": a hole

    void set(torch_file::ValueId dict, const std::string& key, torch_file::ValueId value) {
      values.set_item(dict, values.string(key), value);
    }

    torch_file::ValueId tensor(Dtype dtype, const std::vector<std::int64_t>& shape,
                               bool requires_grad = false, std::string content = "") {
      const std::string key = std::to_string(sizes.size());
      sizes.push_back(item_size(dtype));
      for (const std::int64_t size : shape) sizes.back() *= static_cast<std::uint64_t>(size);
      contents.push_back(std::move(content));
      return torch_file::make_tensor(values, key, dtype, shape, requires_grad);
    }

    // Sums of payloads stay 0, which is torch's way to say that there are none.
    void write(const boost::filesystem::path& path, torch_file::ValueId root) const {
      const auto zip = torch_file::lay_out_torch_file(torch_file::pickle(values, root), sizes);
      boost::filesystem::create_directories(path.parent_path());
      const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644);
      bool good = fd >= 0 && ::ftruncate(fd, static_cast<off_t>(zip.size)) == 0;
      const auto put = [&](std::uint64_t offset, const void* data, std::size_t size) {
        good = good &&
               ::pwrite(fd, data, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
      };
      for (const auto& literal : zip.literals) {
        put(literal.offset, literal.bytes.data(), literal.bytes.size());
      }
      for (const auto& payload : zip.payloads) {
        const std::string& content = contents[payload.index];
        put(payload.offset, content.data(), content.size());
      }
      if (fd >= 0) ::close(fd);
      if (!good) throw Error(CKB_IO, path.string() + ": cannot be written");
    }
  };

  // One rank's flat group; "" for a hole.
  std::string bytes(const deepspeed::FlatGroup& group, int dp, int mp) const {
    if (!element) return "";
    std::vector<float> flat(static_cast<std::size_t>(group.size()), -1.0F);  // padding
    for (std::size_t i = 0; i < group.params().size(); ++i) {
      const deepspeed::Fragment& fragment = group.fragment(i);
      for (std::int64_t k = 0; k < fragment.size; ++k) {
        const std::int64_t index = (spread ? dp * mp_world + mp : dp) * fragment.size + k;
        if (index >= fragment.count) break;
        flat[static_cast<std::size_t>(fragment.begin + k)] =
            element(group.params()[i].name, spread ? 0 : mp, index);
      }
    }
    return {reinterpret_cast<const char*>(flat.data()), flat.size() * sizeof(float)};
  }
};

}  // namespace ckptbridge
