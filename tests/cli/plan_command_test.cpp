// What `plan` tells: the whole in words, single tensors piece by piece, and the page for a browser.
#include <map>

#include "core/text/json.h"
#include "tests/cli/command.h"
#include "tests/cli/well_formed.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> to_nemo(const std::string& out) {
  return {golden("nemo2/input_tiny.pt"),    out, "--to", "nemo2-torch_dist", "--profile",
          golden("nemo2/tiny_profile.json")};
}

// One range of a file, or several of one size.
std::string bytes_at(const std::string& file, const Json& range) {
  static std::map<std::string, std::string> files;
  const auto [text, is_new] = files.try_emplace(file);
  if (is_new) text->second = TempFolder::text_of(file);
  std::vector<std::size_t> offsets{range["offset"].get<std::size_t>()};
  for (const Json& repeat : range.value("repeats", Json::array())) {
    std::vector<std::size_t> more;
    for (const std::size_t offset : offsets) {
      for (std::size_t i = 0; i < repeat["count"].get<std::size_t>(); ++i) {
        more.push_back(offset + i * repeat["every"].get<std::size_t>());
      }
    }
    offsets = more;
  }
  std::string bytes;
  for (const std::size_t offset : offsets)
    bytes += text->second.substr(offset, range["size"].get<std::size_t>());
  return bytes;
}

std::size_t size_of(const Json& range) {
  auto size = range["size"].get<std::size_t>();
  for (const Json& repeat : range.value("repeats", Json::array())) {
    size *= repeat["count"].get<std::size_t>();
  }
  return size;
}

// Plans with --tensor '*' and converts: each piece that is not cast has the same bytes in its
// source and in the output, and the pieces of a place fill it. Returns the number of pieces.
std::size_t require_true_pieces(const std::vector<std::string>& arguments,
                                const std::string& output) {
  std::vector<std::string> words{"plan"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  words.insert(words.end(), {"--tensor", "*", "--json"});
  const auto planned = command(words);
  EXPECT_EQ(planned.code, 0) << planned.err;
  words = {"convert"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const auto converted = command(words);
  EXPECT_EQ(converted.code, 0) << converted.err;
  const auto tensors = Json::parse(planned.out)["tensor_plan"]["written"];
  std::size_t pieces = 0;
  for (const Json& tensor : tensors) {
    EXPECT_FALSE(tensor["places"].empty()) << tensor["name"];
    for (const Json& place : tensor["places"]) {
      const std::string file = output + "/" + place["file"].get<std::string>();
      std::size_t filled = 0;
      for (const Json& piece : place["pieces"]) {
        ++pieces;
        filled += size_of(piece["to"]);
        if (piece["dtypes"].size() > 1) continue;
        const Json& from = piece["from"];
        EXPECT_EQ(bytes_at(from["file"].text(), from), bytes_at(file, piece["to"]))
            << tensor["name"];
      }
      EXPECT_EQ(filled, place["size"].get<std::size_t>()) << tensor["name"];
    }
  }
  return pieces;
}

TEST(Plan, TellsFilesBytesMemoryChecksAndLosses) {
  auto arguments = to_nemo("out");
  arguments.insert(arguments.begin(), "plan");
  arguments.insert(arguments.end(), {"--memory", "64MiB", "--threads", "2"});
  const auto outcome = command(arguments);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("\nchain   ckptbridge run zero1-reader path="),
                    HasSubstr("\nreads   1 file, which hold"),
                    HasSubstr("\nchecks  every byte of tensors is accounted for\n"),
                    HasSubstr("\nmemory  12.0 MiB of buffers at most (2 threads, "),
                    HasSubstr("\nrounded: 14 tensors from float32 to bfloat16, to the nearest")));
}

TEST(PlanTensor, NamesThePiecesThatTheConversionMoves) {
  const TempFolder folder;
  const std::string nemo = (folder / "nemo").string();
  EXPECT_GT(require_true_pieces(to_nemo(nemo), nemo), 60u);
  const std::string mp2 = (folder / "mp2").string();
  EXPECT_GT(
      require_true_pieces({golden("zero1/z1_mp8"), mp2, "--to", "zero1", "--mp-size", "2"}, mp2),
      100u);
  const std::string whole = (folder / "whole").string();
  EXPECT_GT(require_true_pieces({golden("zero3/ds_z3_w4_mp2"), whole, "--to", "zero1"}, whole),
            50u);
}

TEST(PlanTensor, LeadsFromANameOfTheInputToWhatIsMadeOfIt) {
  auto arguments = to_nemo("out");
  arguments.insert(arguments.begin(), "plan");
  arguments.insert(arguments.end(), {"--tensor", "sequential.2.mlp.w1.weight"});
  const auto text = command(arguments).out;
  EXPECT_THAT(
      text,
      HasSubstr("linear_fc1.weight\n  param, bfloat16 [352, 64]\n  made of  "
                "sequential.2.mlp.w1.weight, sequential.2.mlp.w2.weight\n  how      2 parts joined "
                "along dimension 0"));
  EXPECT_THAT(text, HasSubstr("    from input_tiny.pt: offset 114,752, 22,528 bytes\n"));
}

TEST(PlanTensor, SaysWhatIsNotWrittenAndWhy) {
  const auto outcome =
      command({"plan", golden("zero1/z1_mp8"), "out", "--to", "zero1", "--mp-size", "1", "--tensor",
               "sequential.2.pre_mlp_layernorm.weight", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto told = Json::parse(outcome.out)["tensor_plan"];
  ASSERT_EQ(told["written"].size(), 1u);
  EXPECT_EQ(told["written"][0]["made_of"].size(), 1u);
  ASSERT_EQ(told["not_written"].size(), 7u);
  EXPECT_EQ(told["not_written"][6]["mp_rank"], 7);
  EXPECT_THAT(told["not_written"][6]["reason"].get<std::string>(), HasSubstr("must be equal"));
}

TEST(PlanTensor, NamesNearOnesWhereThereIsNone) {
  auto arguments = to_nemo("out");
  arguments.insert(arguments.begin(), "plan");
  arguments.insert(arguments.end(), {"--tensor", "sequential.2.mlp.w1.wieght"});
  const auto outcome = command(arguments);
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("near ones are sequential.2.mlp.w1.weight"));
}

TEST(PlanTensor, IsOfPlansAlone) {
  const TempFolder folder;
  auto arguments = to_nemo((folder / "out").string());
  arguments.insert(arguments.begin(), "convert");
  arguments.insert(arguments.end(), {"--tensor", "*"});
  const auto outcome = command(arguments);
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("type plan in front"));
  EXPECT_FALSE(fs::exists(folder / "out"));
}

std::string page_of(const std::vector<std::string>& arguments) {
  const TempFolder folder;
  std::vector<std::string> words{"plan"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  words.insert(words.end(), {"--html", (folder / "plan.html").string()});
  const auto outcome = command(words);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return TempFolder::text_of(folder / "plan.html");
}

TEST(PlanPage, TellsTheFlowTheLossesAndTheTensorsByLayer) {
  const std::string page = page_of(to_nemo("out"));
  EXPECT_EQ(ill_formed(page), "");
  EXPECT_THAT(page, AllOf(HasSubstr("<svg "), HasSubstr(">zero1-reader</text>"),
                          HasSubstr(">evo2-mapper</text>"),
                          HasSubstr("float32 → bfloat16</td><td class=\"drop\">rounded"),
                          HasSubstr("bfloat16 has fewer digits than float32"),
                          HasSubstr("<summary><code>module.decoder.layers.0</code>")));
  EXPECT_THAT(page, HasSubstr("<code>sequential.2.mlp.w1.weight</code><br/>"
                              "<code>sequential.2.mlp.w2.weight</code>"));
}

TEST(PlanPage, LoadsAndRunsNothing) {
  const std::string page =
      page_of({golden("zero1/z1_mp8"), "out", "--to", "zero1", "--mp-size", "2"});
  EXPECT_EQ(ill_formed(page), "");
  EXPECT_THAT(page, HasSubstr("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
  for (const char* word : {"<script", "src=", "href=", "url(", "@import", "onload"}) {
    EXPECT_THAT(page, Not(HasSubstr(word)));
  }
}

TEST(PlanPage, MakesHostileNamesHarmless) {
  const TempFolder folder;
  const std::string header =
      R"({"</code><script>alert(1)</script>.0.\"'&amp;\u202e":{"dtype":"U8","shape":[2],)"
      R"("data_offsets":[0,2]},"sequential.2.x":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})";
  std::string text(8, '\0');
  text[0] = static_cast<char>(header.size());
  const auto file = folder.write("<img onerror=x>.safetensors", text + header + "wxyz");
  const std::string page = page_of({file.string(), "out", "--to", "pt"});
  EXPECT_EQ(ill_formed(page), "");
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, HasSubstr("<code>&lt;/code&gt;&lt;script&gt;alert(1)&lt;/script&gt;.0.&quot;"
                              "&#39;&amp;amp;"));
}

TEST(PlanPage, ReplacesOnlyAnEarlierPage) {
  const TempFolder folder;
  const std::string page = (folder / "plan.html").string();
  auto arguments = to_nemo("out");
  arguments.insert(arguments.begin(), "plan");
  arguments.insert(arguments.end(), {"--html", page});
  EXPECT_EQ(command(arguments).code, 0);
  EXPECT_EQ(command(arguments).code, 5);
  arguments.emplace_back("--overwrite");
  EXPECT_EQ(command(arguments).code, 0);
  folder.write("plan.html", "<!DOCTYPE html>\n<p>mine</p>");
  EXPECT_EQ(command(arguments).code, 5);
  EXPECT_EQ(TempFolder::text_of(page), "<!DOCTYPE html>\n<p>mine</p>");
}

}  // namespace
}  // namespace ckptbridge
