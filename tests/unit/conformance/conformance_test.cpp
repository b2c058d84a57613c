// What every format holds, and what it says of what it cannot hold.
#include <algorithm>
#include <set>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/paths.h"
#include "tests/unit/conformance/round_trip.h"

namespace ckptbridge {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::ValuesIn;

class Conformance : public testing::TestWithParam<std::tuple<Format, Case>> {
 protected:
  const Format& format() const { return std::get<0>(GetParam()); }
  const Case& source() const { return std::get<1>(GetParam()); }

  void expect_refusal(RoundTrip& trip, const std::string& what) const {
    const std::string& name = source().tensors[0].name;
    const Error error = thrown_by([&] { trip.write(); });
    EXPECT_EQ(error.code(), CKB_UNSUPPORTED);
    EXPECT_THAT(error.what(), HasSubstr(name + what));
    EXPECT_EQ(error.about().tensor, name) << error.what();
    EXPECT_THAT(trip.run().left_behind(), IsEmpty());
  }

  void expect_return(RoundTrip& trip) const {
    ASSERT_NO_THROW(trip.write());
    const FoundTensors found = trip.read();
    EXPECT_EQ(found.size(), source().tensors.size());
    for (const SourceTensor& tensor : source().tensors) {
      const auto it = found.find({tensor.name, tensor.mp_rank});
      ASSERT_NE(it, found.end()) << tensor.name << ", rank " << tensor.mp_rank << ", is lost";
      EXPECT_EQ(it->second.form, form_of(tensor.dtype, tensor.shape)) << tensor.name;
      // Not EXPECT_EQ, which would print them.
      EXPECT_TRUE(it->second.bytes == tensor.content()) << tensor.name << " has other elements";
      if (tensor.tied_to.empty()) continue;
      const ckb_node other = found.at({tensor.tied_to, tensor.mp_rank}).value;
      EXPECT_EQ(it->second.value == other, format().keeps_ties) << tensor.name;
    }
  }
};

TEST_P(Conformance, BringsBackEachBitOrNamesTheTensorThatTheFormatCannotHold) {
  RoundTrip trip(format(), source().tensors);
  const auto refused = format().refuses.find(source().name);
  if (refused == format().refuses.end()) {
    expect_return(trip);
  } else {
    expect_refusal(trip, refused->second);
  }
}

std::vector<std::tuple<Format, Case>> all_pairs() {
  std::vector<std::tuple<Format, Case>> pairs;
  for (const Format& format : formats()) {
    for (const Case& source : cases()) {
      if (!format.fits || std::all_of(source.tensors.begin(), source.tensors.end(), format.fits)) {
        pairs.emplace_back(format, source);
      }
    }
  }
  return pairs;
}

std::string words(const testing::TestParamInfo<std::tuple<Format, Case>>& test) {
  return std::get<0>(test.param).name + "_" + std::get<1>(test.param).name;
}

INSTANTIATE_TEST_SUITE_P(Of, Conformance, ValuesIn(all_pairs()), words);

TEST(Formats, AreThoseOfAllReadersAndWritersThatShip) {
  SearchPath path;
  path.folders = {{paths::plugins(), Origin::kOption}};
  path.caller = path.installer = geteuid();
  const Registry registry(path);
  std::set<std::string> shipped;
  for (const Role role : {Role::kReader, Role::kWriter}) {
    for (const Manifest* plugin : registry.with_role(role)) shipped.insert(plugin->id);
  }
  std::set<std::string> listed;
  for (const Format& format : formats()) {
    listed.insert(format.reader);
    if (!format.writer.empty()) listed.insert(format.writer);
  }
  EXPECT_EQ(listed, shipped) << "list new plugins in tests/unit/conformance/formats.cpp";
}

TEST(Formats, RefuseOnlyWhatIsTried) {
  std::set<std::string> tried;
  for (const Case& each : cases()) tried.insert(each.name);
  for (const Format& format : formats()) {
    for (const auto& [name, text] : format.refuses) {
      EXPECT_TRUE(tried.contains(name)) << format.name << ": " << name;
    }
  }
}

}  // namespace
}  // namespace ckptbridge
