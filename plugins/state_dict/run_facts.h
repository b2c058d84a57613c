// What a checkpoint says of the run that saved it. Readers set these facts as properties, under the
// names that the files have for them; `ckptbridge inspect` shows them.
//
//   ds_version                  DeepSpeed's, which saved the file
//   pytorch-lightning_version   of NeMo's common.pt
//   iteration, global_steps     savanna's and DeepSpeed's counts
//   global_step, epoch          NeMo's
//   dp_world_size               data-parallel ranks of the run
// Source: deepspeed/runtime/engine.py, _save_checkpoint; savanna/checkpointing.py; common.pt in
// tests/golden/nemo2.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "ckptbridge/plugin.hpp"
#include "plugins/torch_file/lookup.h"

namespace ckptbridge::state_dict {

inline constexpr std::array<std::string_view, 7> kRunFacts = {
    "ds_version",   "pytorch-lightning_version",
    "iteration",    "global_steps",
    "global_step",  "epoch",
    "dp_world_size"};

// Sets the property if the item is such a fact: a number, or a short text.
inline void add_run_fact(plugin::Graph& out, const torch_file::Values& values, std::string_view key,
                         torch_file::ValueId value) {
  constexpr std::size_t kLongest = 100;
  if (std::find(kRunFacts.begin(), kRunFacts.end(), key) == kRunFacts.end()) return;
  if (const auto text = values.as_string(value); text && text->size() <= kLongest) {
    out.set_property(std::string(key), std::string(*text));
  } else if (const auto number = values.as_int(value)) {
    out.set_property(std::string(key), std::to_string(*number));
  }
}

// The same for each item of a mapping.
inline void add_run_facts(plugin::Graph& out, const torch_file::Values& values,
                          torch_file::ValueId mapping) {
  for (const torch_file::Item& item : torch_file::items_of(values, mapping)) {
    if (const auto key = values.as_string(item.key)) add_run_fact(out, values, *key, item.value);
  }
}

}  // namespace ckptbridge::state_dict
