#include "core/plugin_host/registry.h"

#include <unistd.h>

#include <boost/filesystem.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/unit/expect_error.h"

namespace ckptbridge {
namespace {

namespace fs = boost::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// A user who is not root and owns nothing that the tests make as root.
uid_t caller() { return geteuid() == 0 ? 4242 : geteuid(); }

class RegistryTest : public testing::Test {
 protected:
  RegistryTest() : root_(fs::temp_directory_path() / fs::unique_path("ckptbridge-%%%%-%%%%")) {
    umask(022);
    for (const char* folder : {"given", "user", "installed"}) fs::create_directories(at(folder));
  }
  ~RegistryTest() override { fs::remove_all(root_); }

  fs::path at(const std::string& name) const { return root_ / name; }

  void write(const fs::path& file, const std::string& text) const {
    FILE* out = fopen(file.c_str(), "w");
    ASSERT_NE(out, nullptr);
    fputs(text.c_str(), out);
    fclose(out);
  }

  // A manifest and its library.
  void add(const std::string& folder, const std::string& id, const std::string& role,
           const std::string& format, const std::string& more = "") const {
    write(at(folder) / (id + ".so"), "");
    write(at(folder) / (id + ".json"),
          R"({"manifest_version": 1, "version": "0.1.0", "abi": "1.0", "summary": "s", "id": ")" +
              id + R"(", "library": ")" + id + R"(.so", "roles": [")" + role +
              R"("], "format": ")" + format + "\"" + more + "}");
  }

  SearchPath path(std::vector<SearchFolder> extra = {}) const {
    SearchPath result;
    result.folders = std::move(extra);
    result.folders.push_back({at("user"), Origin::kUser});
    result.folders.push_back({at("installed"), Origin::kInstalled});
    result.caller = result.installer = caller();
    return result;
  }

  fs::path root_;
};

TEST_F(RegistryTest, FindsAPluginByIdAndByFormat) {
  add("installed", "zero1-reader", "reader", "zero1");
  add("installed", "nemo2-torch_dist-writer", "writer", "nemo2-torch_dist");
  const Registry registry(path());
  EXPECT_EQ(registry.require("zero1-reader").format, "zero1");
  EXPECT_EQ(registry.require(Role::kWriter, "nemo2-torch-dist").id, "nemo2-torch_dist-writer");
  EXPECT_EQ(registry.with_role(Role::kReader).size(), 1u);
}

TEST_F(RegistryTest, ListsTheFormatsWhereOneIsUnknown) {
  add("installed", "nemo2-zarr-writer", "writer", "nemo2-zarr");
  add("installed", "zero1-writer", "writer", "zero1");
  const Registry registry(path());
  EXPECT_EQ(error_of(CKB_INVALID_ARGUMENT, [&] { registry.require(Role::kWriter, "nemo2-zar"); }),
            "no writer for the format \"nemo2-zar\"; there are "
            "nemo2-zarr, zero1; did you mean \"nemo2-zarr\"?");
}

TEST_F(RegistryTest, AsksForAnIdWhereTwoPluginsHaveAFormat) {
  add("installed", "zero1-reader", "reader", "zero1");
  add("user", "acme.zero1", "reader", "zero1");
  const Registry registry(path());
  EXPECT_THAT(error_of(CKB_INVALID_ARGUMENT, [&] { registry.require(Role::kReader, "zero1"); }),
              HasSubstr("several readers, acme.zero1, zero1-reader"));
}

TEST_F(RegistryTest, LetsTheFirstFolderWinAndKeepsBoth) {
  add("given", "zero1-reader", "reader", "mine");
  add("installed", "zero1-reader", "reader", "zero1");
  const Registry registry(path({{at("given"), Origin::kOption}}));
  EXPECT_EQ(registry.require("zero1-reader").format, "mine");
  ASSERT_EQ(registry.entries().size(), 2u);
  EXPECT_EQ(registry.entries()[1].shadowed_by, at("given/zero1-reader.json").string());
  EXPECT_EQ(registry.formats(Role::kReader), std::vector<std::string>{"mine"});
}

TEST_F(RegistryTest, SaysWhatWasFoundWhereAPluginIsNot) {
  add("installed", "zero1-reader", "reader", "zero1");
  write(at("user/acme.bad.json"), "{");
  const Registry registry(path({{at("nowhere"), Origin::kLocal}}));
  EXPECT_THAT(error_of(CKB_NOT_FOUND, [&] { registry.require("zero1-raeder"); }),
              AllOf(HasSubstr("no plugin \"zero1-raeder\"; did you mean \"zero1-reader\"?"),
                    HasSubstr(at("nowhere").string() + ": absent"),
                    HasSubstr(at("user").string() + ": acme.bad\n    acme.bad cannot be used: "),
                    HasSubstr(at("installed").string() + ": zero1-reader")));
}

TEST_F(RegistryTest, AManifestThatDoesNotParseIsListedAndAnErrorForItsId) {
  write(at("user/acme.bad.json"), "{");
  add("installed", "acme.bad", "reader", "zero1");
  const Registry registry(path());
  EXPECT_EQ(registry.entries()[0].id, "acme.bad");
  EXPECT_THAT(registry.entries()[0].problem, HasSubstr("not JSON"));
  EXPECT_THAT(error_of(CKB_CORRUPT, [&] { registry.require("acme.bad"); }),
              HasSubstr(at("user/acme.bad.json").string() + ": not JSON"));
  EXPECT_TRUE(registry.with_role(Role::kReader).empty());
}

TEST_F(RegistryTest, AManifestForANewerAbiIsListedAndNotUsed) {
  add("installed", "acme.new", "reader", "zero1");
  write(at("installed/acme.new.json"),
        R"({"manifest_version": 1, "id": "acme.new", "version": "1", "abi": "1.9", "summary": "s",
            "library": "acme.new.so", "roles": ["reader"], "format": "x"})");
  const Registry registry(path());
  EXPECT_THAT(error_of(CKB_UNSUPPORTED, [&] { registry.require("acme.new"); }),
              HasSubstr("needs ckptbridge plugin ABI 1.9, this is 1.0"));
}

TEST_F(RegistryTest, AManifestWithoutItsLibraryIsNotUsed) {
  add("installed", "zero1-reader", "reader", "zero1");
  fs::remove(at("installed/zero1-reader.so"));
  EXPECT_THAT(error_of(CKB_UNSUPPORTED, [&] { Registry(path()).require("zero1-reader"); }),
              HasSubstr("its library zero1-reader.so is not there"));
}

TEST_F(RegistryTest, IgnoresWhatTheConformanceKitKeepsBesideManifests) {
  write(at("installed/zero1-reader.check.json"), "{}");
  EXPECT_TRUE(Registry(path()).entries().empty());
}

TEST_F(RegistryTest, OurOwnNamesComeFromElsewhereOnlyByPluginDir) {
  add("user", "zero1-reader", "reader", "stray");
  const Registry alone(path());
  EXPECT_THAT(error_of(CKB_UNSUPPORTED, [&] { alone.require("zero1-reader"); }),
              HasSubstr("belongs to ckptbridge's own plugins"));
  add("installed", "zero1-reader", "reader", "zero1");
  const Registry both(path());
  EXPECT_EQ(both.require("zero1-reader").format, "zero1");
  EXPECT_EQ(both.entries()[1].shadowed_by, "");
}

TEST_F(RegistryTest, RefusesAFolderThatOthersMayWrite) {
  add("user", "acme.reader", "reader", "acme");
  chmod(at("user").c_str(), 0777);
  const Registry registry(path());
  EXPECT_TRUE(registry.entries().empty());
  EXPECT_THAT(registry.folders()[0].state, HasSubstr("anybody may write"));
  chmod(at("user").c_str(), 0775);
  EXPECT_THAT(Registry(path()).folders()[0].state, HasSubstr("chmod g-w"));
  chmod(at("user").c_str(), 0755);
  EXPECT_EQ(Registry(path()).entries().size(), 1u);
}

TEST_F(RegistryTest, RefusesAManifestOrALibraryThatOthersMayWrite) {
  add("user", "acme.reader", "reader", "acme");
  chmod(at("user/acme.reader.so").c_str(), 0666);
  EXPECT_THAT(error_of(CKB_UNSUPPORTED, [&] { Registry(path()).require("acme.reader"); }),
              HasSubstr("acme.reader.so; chmod o-w it"));
  chmod(at("user/acme.reader.json").c_str(), 0666);
  EXPECT_THAT(error_of(CKB_UNSUPPORTED, [&] { Registry(path()).require("acme.reader"); }),
              HasSubstr("acme.reader.json; chmod o-w it"));
}

TEST_F(RegistryTest, RefusesWhatBelongsToAnotherUser) {
  add("user", "acme.reader", "reader", "acme");
  SearchPath search = path();
  if (geteuid() == 0) {
    ASSERT_EQ(chown(at("user").c_str(), 4243, 0), 0);
  } else {
    search.caller = search.installer = geteuid() + 1;
  }
  EXPECT_THAT(Registry(search).folders()[0].state, HasSubstr("belongs to user"));
  search.installer = geteuid() == 0 ? 4243 : geteuid();
  EXPECT_EQ(Registry(search).folders()[0].state, "");
}

TEST_F(RegistryTest, RefusesToGoOnWithoutAFolderNamedByOption) {
  EXPECT_THAT(error_of(CKB_INVALID_ARGUMENT,
                       [&] {
                         Registry(path({{at("nowhere"), Origin::kOption}}));
                       }),
              HasSubstr("nowhere: there is no such folder"));
  chmod(at("given").c_str(), 0777);
  EXPECT_THAT(error_of(CKB_INVALID_ARGUMENT,
                       [&] {
                         Registry(path({{at("given"), Origin::kOption}}));
                       }),
              HasSubstr("anybody may write"));
}

TEST_F(RegistryTest, RootSearchesOnlySystemFoldersAndPluginDir) {
  add("user", "acme.reader", "reader", "acme");
  SearchPath search = path();
  search.caller = search.installer = 0;
  const Registry registry(search);
  EXPECT_TRUE(registry.entries().empty());
  EXPECT_THAT(registry.folders()[0].state, HasSubstr("not searched for root"));
}

TEST_F(RegistryTest, FindsReadersByTheNamesInAndBelowAFolder) {
  add("installed", "zero1-reader", "reader", "zero1", R"(, "matches": ["mp_rank_*.pt"])");
  add("installed", "zero3-reader", "reader", "zero3", R"(, "matches": ["zero_pp_*.pt"])");
  fs::create_directories(at("in/global_step1"));
  write(at("in/latest"), "global_step1");
  write(at("in/global_step1/mp_rank_00_model_states.pt"), "");
  const Registry registry(path());
  for (const char* input :
       {"in", "in/global_step1", "in/global_step1/mp_rank_00_model_states.pt"}) {
    const auto found = registry.candidates(at(input));
    ASSERT_EQ(found.size(), 1u) << input;
    EXPECT_EQ(found[0]->id, "zero1-reader");
  }
  EXPECT_TRUE(registry.candidates(at("in/latest")).empty());
}

TEST(SearchPath, HasEachPlaceInItsOrder) {
  const auto environment = [](const char* name) -> const char* {
    if (std::string(name) == "CKPTBRIDGE_PLUGIN_PATH") return "/env/a::relative";
    if (std::string(name) == "HOME") return "/home/me";
    return nullptr;
  };
  const auto search = make_search_path({"/given"}, environment, "/opt/ckb/bin/ckptbridge", 1000);
  std::vector<std::string> folders;
  for (const auto& folder : search.folders) folders.push_back(folder.path.string());
  EXPECT_THAT(
      folders,
      ElementsAre("/given", "/env/a", "relative", "/home/me/.local/share/ckptbridge/plugins-1",
                  "/usr/local/lib/ckptbridge/plugins-1", "/opt/ckb/lib/ckptbridge/plugins-1"));
  EXPECT_THAT(untrusted_folder(search.folders[2], 1000), HasSubstr("not absolute"));
  EXPECT_EQ(untrusted_folder(search.folders[1], 1000), "");
  EXPECT_THAT(untrusted_folder(search.folders[1], 0), HasSubstr("root"));
  EXPECT_EQ(untrusted_folder(search.folders[0], 0), "");
}

TEST(SearchPath, PrefersXdgDataHomeAndNamesUsrLocalOnce) {
  const auto environment = [](const char* name) -> const char* {
    return std::string(name) == "XDG_DATA_HOME" ? "/data" : nullptr;
  };
  const auto search = make_search_path({}, environment, "/usr/local/bin/ckptbridge", 1000);
  ASSERT_EQ(search.folders.size(), 2u);
  EXPECT_EQ(search.folders[0].path, "/data/ckptbridge/plugins-1");
  EXPECT_EQ(search.folders[1].path, "/usr/local/lib/ckptbridge/plugins-1");
  EXPECT_EQ(search.folders[1].origin, Origin::kInstalled);
}

}  // namespace
}  // namespace ckptbridge
