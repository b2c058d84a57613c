// Rank files of ZeRO-1 that are missing, damaged, or not of one checkpoint.
#include "tests/cli/errors/case.h"
#include "tests/unit/flows/rank_file.h"

namespace ckptbridge::errors {
namespace {

const std::string kRank = "global_step10/mp_rank_0";
const std::string kState = "_model_states.pt";
const std::string kNorm = "sequential.2.input_layernorm.weight";
const std::string kProjection = "sequential.2.mixer.dense_projection.weight";

// Rank files with these tensors, one list for each rank.
std::string write_ranks(const Scratch& s, const std::vector<std::vector<NewEntry>>& ranks,
                        const std::map<std::string, std::int64_t>& numbers = {}) {
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    s.write("in/" + rank_name(static_cast<int>(i)), make_rank_file(ranks[i], numbers));
  }
  return s.path("in");
}

Arguments reshard(const Scratch& s, const std::string& input, const std::string& ranks) {
  return s.convert(input, "zero1", {"--mp-size", ranks});
}

}  // namespace

std::vector<Case> zero1_cases() {
  return {
      {"a rank file that is missing",
       [](const Scratch& s) {
         return s.convert(s.copy_without("zero1/z1_mp8", kRank + "3" + kState), "zero1");
       }},
      {"one rank file of eight",
       [](const Scratch& s) {
         return s.convert(golden("zero1/z1_mp8/" + kRank + "3" + kState), "zero1");
       }},
      {"a rank file whole and in pieces",
       [](const Scratch& s) {
         s.copy("zero1/z1_mp1");
         s.write("in/" + kRank + "0" + kState + ".part0", "x");
         return s.convert(s.path("in"), "zero1");
       }},
      {"a file in pieces of which one is missing",
       [](const Scratch& s) {
         s.write("in/x.pt.part0", "x");
         s.write("in/x.pt.part2", "x");
         return s.convert(s.path("in"), "pt");
       }},
      {"a file in pieces of which two are one",
       [](const Scratch& s) {
         s.write("in/x.pt.part0", "x");
         s.write("in/x.pt.part00", "x");
         return s.convert(s.path("in"), "pt");
       }},
      {"two files in pieces",
       [](const Scratch& s) {
         s.write("in/x.pt.part0", "x");
         s.write("in/y.pt.part0", "x");
         return s.convert(s.path("in"), "pt");
       }},
      {"one file whole and in pieces",
       [](const Scratch& s) {
         s.write("in/x.pt.part0", "x");
         s.write("in/x.pt", "x");
         return s.convert(s.path("in"), "pt", {"--from", "zero1"});
       }},
      {"pieces of which the last is missing",
       [](const Scratch& s) {
         const std::string whole = TempFolder::text_of(golden("nemo2/input_tiny.pt"));
         s.write("in/x.pt.part0", whole.substr(0, whole.size() / 2));
         return s.convert(s.path("in"), "pt");
       }},
      {"a named file that is there in no form",
       [](const Scratch& s) {
         s.write("x.pt.part", "x");
         return s.convert(s.path("x.pt"), "pt", {"--from", "zero1"});
       }},
      {"latest names a folder that there is not",
       [](const Scratch& s) {
         s.copy("zero1/z1_mp1");
         s.write("in/latest", "global_step99");
         return s.convert(s.path("in"), "zero1");
       }},
      {"latest names a folder elsewhere",
       [](const Scratch& s) {
         s.copy("zero1/z1_mp1");
         s.write("in/latest", "../elsewhere");
         return s.convert(s.path("in"), "zero1");
       }},
      {"a tag that there is not",
       [](const Scratch& s) {
         return s.convert(golden("zero1/z1_mp1"), "zero1", {"--tag", "global_step99"});
       }},
      {"a pattern that fits no file",
       [](const Scratch& s) {
         return s.convert(golden("zero1/z1_mp1"), "zero1",
                          {"--from", "zero1", "--glob-pattern", "other*"});
       }},
      {"a file that is cut short",
       [](const Scratch& s) {
         s.copy("nemo2/input_tiny.pt", "in.pt");
         s.truncate("in.pt", 5000);
         return s.convert(s.path("in.pt"), "pt");
       }},
      {"a file that is no model's state",
       [](const Scratch& s) { return s.convert(golden("torch_file/objects.pt"), "pt"); }},
      {"ranks of different shapes",
       [](const Scratch& s) {
         return reshard(
             s,
             write_ranks(s, {{{kProjection, {2, 2}, "abcd"}}, {{kProjection, {3, 2}, "abcdef"}}}),
             "1");
       }},
      {"a tensor that one rank lacks",
       [](const Scratch& s) {
         return reshard(s,
                        write_ranks(s, {{{kProjection, {2}, "ab"}, {kNorm, {2}, "ab"}},
                                        {{kProjection, {2}, "ab"}}}),
                        "1");
       }},
      {"a tensor that nobody knows",
       [](const Scratch& s) {
         return reshard(s, write_ranks(s, {{{"sequential.2.other.weight", {2}, "ab"}}}), "2");
       }},
      {"rows that the ranks cannot share",
       [](const Scratch& s) {
         return reshard(s, write_ranks(s, {{{kProjection, {5, 1}, "abcde"}}}), "2");
       }},
      {"more rows than can be counted",
       [](const Scratch& s) {
         const NewEntry entry{kProjection, {std::int64_t{1} << 62, 0}, ""};
         return reshard(s, write_ranks(s, {{entry}, {entry}}), "1");
       }},
      {"dimensions that cannot be split",
       [](const Scratch& s) {
         return reshard(s, write_ranks(s, {{{kProjection, {}, "a"}}}), "2");
       }},
      {"replicas that differ",
       [](const Scratch& s) { return reshard(s, golden("zero1/z1_mp2_skew"), "1"); }},
      {"ranks of different steps",
       [](const Scratch& s) {
         s.write("in/" + rank_name(0), make_rank_file({{kNorm, {2}, "ab"}}, {{"iteration", 10}}));
         s.write("in/" + rank_name(1), make_rank_file({{kNorm, {2}, "ab"}}, {{"iteration", 12}}));
         return reshard(s, s.path("in"), "1");
       }},
      {"a name with control characters",
       [](const Scratch& s) {
         return s.convert(write_ranks(s, {{{"w\x1b[2J", {2}, "ab"}}}), "zero1");
       }},
  };
}

}  // namespace ckptbridge::errors
