// Commands with the flags that users of the Python scripts have in their fingers. Each becomes the
// same request as a `convert`, and takes all of its options besides its own.
#include <algorithm>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/dispatch.h"
#include "cli/verbs/converting.h"
#include "cli/verbs/setup.h"
#include "core/text/spelling.h"

namespace ckptbridge::cli {
namespace {

// The options that every preset takes besides its own, the arguments, and the work.
int perform_preset(CommandLine& line, const Registry& registry, Request& request,
                   const Arguments& arguments, bool dry_run,
                   const std::function<void(CommonOptions&)>& fill_request) {
  CommonOptions common;
  declare_common_options(line, common);
  declare_plugin_options(line, registry, request.options);
  if (!line.parse(arguments)) return 0;
  fill_request(common);
  request.folder = boost::filesystem::current_path();
  common.dry_run = common.dry_run || dry_run;
  return perform(registry, request, common);
}

// Makes the whole chain of these plugins, with the options that were typed.
void set_steps(const Registry& registry, const std::vector<std::string>& plugins,
               Request& request) {
  std::vector<const Manifest*> manifests;
  manifests.reserve(plugins.size());
  for (const std::string& id : plugins) manifests.push_back(&registry.require(id));
  require_one_owner(manifests, request.options);
  for (const Manifest* manifest : manifests) {
    request.steps.push_back({manifest->id, options_for(*manifest, request.options)});
  }
}

// What was typed for an option.
std::string option_of(const Request& request, const std::string& name, const std::string& other) {
  for (const OptionText& option : request.options) {
    if (hyphenated(option.name) == name && option.value) return *option.value;
  }
  return other;
}

void set_default(StepText& step, const std::string& option, const std::string& value) {
  const auto is_it = [&](const OptionText& given) { return given.name == option; };
  if (std::none_of(step.options.begin(), step.options.end(), is_it)) {
    step.options.push_back({option, value});
  }
}

}  // namespace

int convert_to_nemo(const Arguments& arguments, bool dry_run) {
  const Registry registry = open_registry(arguments);
  Request request;
  std::string model_path;
  std::string output_dir;
  std::string format = "torch_dist";
  CommandLine line("convert_to_nemo --model-path F --output-dir D --model-size S [options]",
                   "Makes a NeMo2 checkpoint of a savanna or ZeRO-1 checkpoint of Evo2.");
  line.required_option("--model-path", "PATH", model_path,
                       "The checkpoint: a .pt file or a folder");
  line.required_option("--output-dir", "PATH", output_dir, "The NeMo2 checkpoint to make");
  line.option("--ckpt-format", "torch_dist|zarr", format, "Format of its weights [torch_dist]");
  return perform_preset(line, registry, request, arguments, dry_run, [&](CommonOptions&) {
    if (format != "torch_dist" && format != "zarr") {
      throw Error(CKB_INVALID_ARGUMENT,
                  fmt::format("--ckpt-format: \"{}\" is none of torch_dist, zarr", format),
                  {.hint = suggestion(format, {"torch_dist", "zarr"})});
    }
    request.input = model_path;
    request.output = output_dir;
    request.to = "nemo2-" + format;
    registry.require(Role::kWriter, request.to);
  });
}

int convert_checkpoint_model_parallel_evo2(const Arguments& arguments, bool dry_run) {
  const Registry registry = open_registry(arguments);
  Request request;
  std::string source_dir;
  std::string output_dir;
  CommandLine line(
      "convert_checkpoint_model_parallel_evo2 --source_dir D --output_dir D --mp_size M [options]",
      "Makes a savanna checkpoint of Evo2 for another number of model-parallel ranks. Where "
      "replicated tensors differ between ranks, rank 0's is taken and the differences are listed.");
  line.required_option("--source-dir", "PATH", source_dir, "The folder of the rank files");
  line.required_option("--output-dir", "PATH", output_dir, "The folder to make");
  return perform_preset(line, registry, request, arguments, dry_run, [&](CommonOptions&) {
    request.input = source_dir;
    request.output = output_dir;
    request.to = "zero1";
    // Named one by one: N ranks become N ranks by the same rules, too.
    set_steps(registry, {"zero1-reader", "mp-resharder", "zero1-writer"}, request);
    set_default(request.steps[1], "on-mismatch", "first");
    set_default(request.steps[2], "record-output-dir", output_dir);
  });
}

int convert_zero3_to_zero1(const Arguments& arguments, bool dry_run) {
  const Registry registry = open_registry(arguments);
  Request request;
  std::string input;
  std::string output;
  std::string mp_size;
  std::string tag;
  std::string workers;
  bool explain = false;
  CommandLine line("convert_zero3_to_zero1 IN OUT --mp_size N [options]",
                   "Makes a ZeRO-1 checkpoint (mp_rank_XX_model_states.pt) of a ZeRO-3 one. Files "
                   "of OUT that are there and complete are skipped. With --rank_start and "
                   "--rank_end, several runs may fill one OUT at the same time.");
  line.positional("IN", input, "The folder of the ZeRO-3 files, or the one above it");
  line.positional("OUT", output, "The folder for the rank files");
  line.required_option("--mp-size", "N", mp_size,
                       "The number of model-parallel ranks in IN, to be sure");
  line.option("-t,--tag", "FOLDER", tag, "The folder below IN, and the one to make below OUT");
  line.option("--num-workers", "N", workers, "As --threads");
  line.flag("-d,--debug", explain, "Say of which pieces each parameter is made");
  return perform_preset(line, registry, request, arguments, dry_run, [&](CommonOptions& common) {
    if (!workers.empty() && !common.threads.empty()) {
      throw Error(CKB_INVALID_ARGUMENT, "--num-workers and --threads are the same",
                  {.hint = "give one"});
    }
    if (common.threads.empty()) common.threads = workers;
    request.input = input;
    request.output = tag.empty() ? output : (boost::filesystem::path(output) / tag).string();
    request.to = "zero1";
    request.skip_complete = true;
    request.job = "ranks-" + option_of(request, "rank-start", "first") + "-" +
                  option_of(request, "rank-end", "last");
    set_steps(registry, {"zero3-reader", "zero1-writer"}, request);
    set_default(request.steps[0], "expect-mp-size", mp_size);
    if (!tag.empty()) set_default(request.steps[0], "tag", tag);
    if (explain) set_default(request.steps[0], "explain", "true");
    set_default(request.steps[1], "style", "zero3");
  });
}

}  // namespace ckptbridge::cli
