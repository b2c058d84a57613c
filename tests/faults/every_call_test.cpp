// Each system call of a whole conversion goes wrong once, in each way that it can: the source stays
// as it is, OUT is the old one or the complete new one, and a rerun finishes.
#include <algorithm>
#include <set>

#include <gmock/gmock.h>

#include "tests/faults/nemo_run.h"
#include "tests/paths.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;
using testing::AnyOf;
using testing::Contains;
using testing::HasSubstr;
using testing::StartsWith;
using Words = std::vector<std::string>;

// A conversion in a folder that holds "in" and, once it is done, "out".
struct Flow {
  const char* name;
  const char* input;  // golden
  // What makes an earlier OUT; nothing: there is none.
  Words (*earlier)(const fs::path& folder);
  Words (*arguments)(const fs::path& folder);
  bool resume = false;  // the rerun goes on where the first run stopped
  bool file_by_file = false;
};
void PrintTo(const Flow& flow, std::ostream* out) { *out << flow.name; }

Words nothing(const fs::path&) { return {}; }

Words reshard(const fs::path& folder) {
  return {"convert_checkpoint_model_parallel_evo2", "--source_dir=" + (folder / "in").string(),
          "--output_dir=" + (folder / "out").string(), "--mp_size=1", "--progress=none"};
}

// Two files appear one by one beside a file of another job.
Words job(const fs::path& folder) {
  return {paths::job_command(), (folder / "in").string(), (folder / "out").string(), "0-1"};
}

const Flow kFlows[] = {
    {"Zero1ToNemo2", "nemo2/input_tiny.pt", nothing,
     [](const fs::path& folder) { return to_nemo(folder, {}); }},
    {"Reshard", "zero1/z1_mp2_skew/global_step10", nothing, reshard},
    {"Overwrite", "nemo2/input_tiny.pt",
     [](const fs::path& folder) { return to_nemo(folder, {"--params-dtype=fp32"}); },
     [](const fs::path& folder) { return to_nemo(folder, {"--overwrite"}); }},
    // Many tasks, and a checkpoint after every few of them.
    {"ResumeZero1ToNemo2", "nemo2/input_tiny.pt", nothing,
     [](const fs::path& folder) {
       return to_nemo(folder, {"--memory=384KiB", "--checkpoint=200KiB"});
     },
     true},
    {"ResumeReshard", "zero1/z1_mp2_skew/global_step10", nothing,
     [](const fs::path& folder) {
       Words words = reshard(folder);
       words.insert(words.end(), {"--memory=384KiB", "--checkpoint=100KiB"});
       return words;
     },
     true},
    {"ResumeOverwrite", "nemo2/input_tiny.pt",
     [](const fs::path& folder) { return to_nemo(folder, {"--params-dtype=fp32"}); },
     [](const fs::path& folder) {
       return to_nemo(folder, {"--overwrite", "--memory=384KiB", "--checkpoint=200KiB"});
     },
     true},
    {"FileByFile", "zero1/z1_mp1/global_step10", nothing, job, false, true},
};

// Which calls a kind of fault can befall.
bool can_befall(const std::string& kind, const std::string& call) {
  static const std::set<std::string> room = {"create",    "write", "pwrite", "ftruncate", "fsync",
                                             "fdatasync", "mkdir", "rename", "renameat2"};
  static const std::set<std::string> stopped = {"open",   "create",    "read",  "write",    "pread",
                                                "pwrite", "ftruncate", "fsync", "fdatasync"};
  static const std::set<std::string> moves = {"read", "write", "pread", "pwrite"};
  if (kind == "full") return room.count(call) != 0;
  if (kind == "again") return stopped.count(call) != 0;
  if (kind == "short") return moves.count(call) != 0;
  return true;
}

// What tidies up: if it cannot, something is left, but nothing of value is lost.
bool tidies_up(const std::string& call) {
  return call == "unlink" || call == "rmdir" || call == "close";
}

class EveryCall : public testing::TestWithParam<std::tuple<Flow, const char*>> {
 protected:
  void SetUp() override {
    const Flow& flow = std::get<0>(GetParam());
    const fs::path input = golden(flow.input);
    fs::create_directory(in());
    if (fs::is_directory(input)) {
      for (const auto& entry : fs::directory_iterator(input)) {
        fs::copy_file(entry.path(), in() / entry.path().filename());
      }
    } else {
      fs::copy_file(input, in() / "model.pt");
    }
    source_ = source_state();
    if (const Words earlier = flow.earlier(folder_.path()); !earlier.empty()) {
      ASSERT_EQ(plain_.run(earlier).code, 0);
    }
    if (flow.file_by_file) folder_.write("out/mp_rank_07_model_states.pt", "of another job");
    old_ = tree_of(out());
    arguments_ = flow.arguments(folder_.path());
    if (!flow.file_by_file) arguments_.push_back("--threads=1");  // the calls have one order
    const Ended ended = plain_.run(arguments_);
    ASSERT_EQ(ended.code, 0) << ended.err;
    calls_ = plain_.calls();
    new_ = tree_of(out());
    ASSERT_NE(old_, new_);
    ASSERT_GT(calls_.size(), 20u);
  }

  fs::path in() const { return folder_ / "in"; }
  fs::path out() const { return folder_ / "out"; }

  // Contents and times of the source.
  std::map<std::string, std::string> source_state() const {
    std::map<std::string, std::string> state;
    for (const auto& entry : fs::directory_iterator(in())) {
      state[entry.path().string()] = std::to_string(fs::last_write_time(entry.path())) + " " +
                                     TempFolder::text_of(entry.path());
    }
    return state;
  }

  void begin_again() const {
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      if (entry.path() != in()) fs::remove_all(entry.path());
    }
    for (const auto& [name, content] : old_) {
      if (name.back() == '/') {
        fs::create_directories(out() / name);
      } else {
        folder_.write("out/" + name, content);
      }
    }
  }

  std::set<std::string> left() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      names.insert(entry.path().filename().string());
    }
    names.erase("in");
    names.erase("out");
    if (fs::exists(out() / ".ckptbridge-partial-0-1")) names.insert("out.ckptbridge-partial");
    return names;
  }

  void expect_told(const Ended& ended, const std::string& kind, const Call& call) const {
    if (kind == "kill") {
      EXPECT_EQ(ended.signal, SIGKILL);
    } else if (kind == "again" || kind == "short") {
      EXPECT_EQ(ended.code, 0);
    } else if (call.name == "read" && call.path.starts_with("/in/") && ended.code == 0) {
      // A plugin's probe could not look; its reader could.
    } else if (ended.code != 0 || !tidies_up(call.name)) {
      EXPECT_EQ(ended.code, 6);
      EXPECT_THAT(ended.err, StartsWith("ckptbridge: "));
      EXPECT_THAT(ended.err, HasSubstr(kind == "full" ? "the disk is full" : "Input/output error"));
    }
  }

  // OUT without the staging folder of a job.
  Tree output() const {
    Tree tree = tree_of(out());
    std::erase_if(tree, [](const auto& entry) { return entry.first.starts_with(".ckptbridge"); });
    return tree;
  }

  // Each file is one of the two.
  bool is_whole_file_by_file(const Tree& now) const {
    for (const auto& [name, content] : now) {
      const auto fresh = new_.find(name);
      if (fresh == new_.end() || fresh->second != content) return false;
    }
    return std::all_of(old_.begin(), old_.end(),
                       [&](const auto& entry) { return now.count(entry.first) != 0; });
  }

  // OUT is one of the two, and the new one if the command said so.
  void expect_whole(const Ended& ended) const {
    const Tree now = output();
    if (ended.code == 0) {
      EXPECT_TRUE(now == new_) << "success was told, but OUT is not the new output";
    } else {
      const bool is_mixed = std::get<0>(GetParam()).file_by_file && is_whole_file_by_file(now);
      EXPECT_TRUE(now == old_ || now == new_ || is_mixed)
          << "OUT is neither the old nor the new output";
    }
    EXPECT_EQ(source_state(), source_) << "the source was touched";
  }

  void expect_tidy(const std::string& kind, const Call& call) const {
    if (kind == "kill" || tidies_up(call.name)) {
      EXPECT_THAT(left(),
                  AnyOf(testing::IsEmpty(), testing::ElementsAre("out.ckptbridge-partial")));
    } else {
      EXPECT_THAT(left(), testing::IsEmpty());
    }
  }

  void expect_that_a_rerun_finishes() const {
    Words again = arguments_;
    if (std::get<0>(GetParam()).resume) {
      again.push_back("--resume");
    } else if (std::get<0>(GetParam()).file_by_file || tree_of(out()) == new_) {
      again.push_back("--overwrite");
    }
    const Ended ended = plain_.run(again);
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_TRUE(tree_of(out()) == new_) << "a rerun gives something else";
    EXPECT_THAT(left(), testing::IsEmpty());
  }

  TempFolder folder_;
  FaultyRun plain_{folder_.path()};
  std::map<std::string, std::string> source_;
  Tree old_;
  Tree new_;
  Words arguments_;
  std::vector<Call> calls_;
};

TEST_P(EveryCall, MayFail) {
  const std::string kind = std::get<1>(GetParam());
  for (size_t number = 1; number <= calls_.size(); ++number) {
    const Call& call = calls_[number - 1];
    if (!can_befall(kind, call.name)) continue;
    SCOPED_TRACE(std::to_string(number) + " of " + std::to_string(calls_.size()) + ": " +
                 call.name + " " + call.path);
    begin_again();
    const Ended ended = plain_.run(arguments_, kind + ":" + std::to_string(number));
    SCOPED_TRACE(ended.err);
    expect_told(ended, kind, call);
    expect_whole(ended);
    expect_tidy(kind, call);
    if (ended.code != 0) expect_that_a_rerun_finishes();
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Of, EveryCall,
                         testing::Combine(testing::ValuesIn(kFlows),
                                          testing::Values("kill", "error", "full", "again",
                                                          "short")),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param).name) + "_" +
                                  std::get<1>(test.param);
                         });

}  // namespace
}  // namespace ckptbridge
