// Runs conversions with the plugins that ship, as the command does, without the command.
#pragma once

#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include <boost/filesystem.hpp>
#include <gtest/gtest.h>

#include "ckptbridge/error.hpp"
#include "core/pipeline.h"
#include "core/plugin_host/search_path.h"
#include "tests/paths.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge {

class FlowRun {
 public:
  static boost::filesystem::path golden(const std::string& name) {
    return boost::filesystem::path(paths::golden()) / name;
  }

  const TempFolder& folder() const { return folder_; }
  const Registry& registry() const { return registry_; }
  boost::filesystem::path out() const { return folder_ / "out"; }

  struct Opened {
    Checkpoint source;
  };
  struct Done : Conversion {
    Outcome outcome = {};
  };

  // What the reader says of input. Throws what the pipeline throws, as all below.
  std::unique_ptr<Opened> read(const boost::filesystem::path& input) const {
    return std::make_unique<Opened>(
        open_checkpoint(registry_, {input, folder_.path(), "", "", {}}, {}));
  }

  // All but writing.
  std::unique_ptr<Done> plan(const boost::filesystem::path& input, const std::string& to,
                             const std::vector<OptionText>& options = {},
                             const Settings& settings = {}) const {
    Request request;
    request.input = input;
    request.output = out();
    request.folder = folder_.path();
    request.to = to;
    request.options = options;
    return std::make_unique<Done>(Done{prepare(registry_, request, settings)});
  }

  std::unique_ptr<Done> convert(const boost::filesystem::path& input, const std::string& to,
                                const std::vector<OptionText>& options = {},
                                const Settings& settings = {}) const {
    auto run = plan(input, to, options, settings);
    run->outcome = ckptbridge::convert(*run, settings);
    return run;
  }

  // The error that a conversion ends with; nothing may be left where the output would be.
  Error failure(const boost::filesystem::path& input, const std::string& to,
                const std::vector<OptionText>& options = {}) const {
    try {
      convert(input, to, options);
    } catch (const Error& error) {
      EXPECT_FALSE(boost::filesystem::exists(out())) << "something was left behind";
      EXPECT_FALSE(boost::filesystem::exists(out().string() + ".ckptbridge-partial"));
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {CKB_OK, ""};
  }

 private:
  static SearchPath plugins() {
    SearchPath path;
    path.folders = {{paths::plugins(), Origin::kOption}};
    path.caller = path.installer = geteuid();
    return path;
  }

  TempFolder folder_;
  Registry registry_{plugins()};
};

}  // namespace ckptbridge
