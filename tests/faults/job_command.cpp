// One of several jobs that fill OUT file by file: job_command IN OUT JOB [--overwrite] [--resume].
// The ranks of a ZeRO-1 checkpoint become two; exit codes are those of the command.
#include <cstdio>
#include <string>
#include <unistd.h>

#include "ckptbridge/error.hpp"
#include "cli/terminal/exit_code.h"
#include "core/pipeline.h"
#include "core/plugin_host/search_path.h"
#include "tests/paths.h"

int main(int argc, char** argv) {
  using namespace ckptbridge;
  SearchPath plugins;
  plugins.folders = {{paths::plugins(), Origin::kOption}};
  plugins.caller = plugins.installer = geteuid();
  Request request;
  request.input = argv[1];
  request.output = argv[2];
  request.job = argv[3];
  request.steps = {
      {"zero1-reader", {}}, {"mp-resharder", {{"mp-size", "2"}}}, {"zero1-writer", {}}};
  Settings settings;
  for (int i = 4; i < argc; ++i) {
    settings.overwrite = settings.overwrite || argv[i] == std::string("--overwrite");
    settings.resume = settings.resume || argv[i] == std::string("--resume");
  }
  try {
    const Registry registry(plugins);
    Conversion run = prepare(registry, request, settings);
    convert(run, settings);
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "ckptbridge: %s\n", error.what());
    return cli::exit_code(error.code());
  }
}
