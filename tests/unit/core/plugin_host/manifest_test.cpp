#include "core/plugin_host/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ckptbridge/error.hpp"
#include "core/text/json.h"
#include "tests/unit/expect_error.h"

namespace ckptbridge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Json reader() {
  return Json::parse(R"({
    "manifest_version": 1, "id": "zero3-reader", "version": "0.1.0", "abi": "1.0",
    "library": "zero3-reader.so", "roles": ["reader"],
    "summary": "DeepSpeed ZeRO stage 3 checkpoints", "format": "zero3",
    "matches": ["zero_pp_rank_*_mp_rank_*_model_states.pt"], "gives": {"names": "savanna"},
    "options": [{"name": "tag", "type": "string", "help": "Folder below the checkpoint"},
                {"name": "mp-size", "type": "integer", "default": 1}],
    "runtime": []})");
}

Manifest parse(const Json& manifest, const std::string& path = "/p/zero3-reader.json") {
  return parse_manifest(manifest.dump(), path);
}

// The message for a reader's manifest in which one member is different.
std::string error_with(const std::string& member, const Json& value) {
  Json manifest = reader();
  manifest[member] = value;
  return error_of(CKB_CORRUPT, [&] { parse(manifest); });
}

TEST(Manifest, HoldsWhatTheFileSays) {
  const Manifest manifest = parse(reader());
  EXPECT_EQ(manifest.id, "zero3-reader");
  EXPECT_TRUE(manifest.has(Role::kReader));
  EXPECT_FALSE(manifest.has(Role::kWriter));
  EXPECT_EQ(manifest.format, "zero3");
  EXPECT_EQ(manifest.rewrites.at(0).gives.at("names"), "savanna");
  EXPECT_EQ(manifest.library_path(), "/p/zero3-reader.so");
  EXPECT_TRUE(manifest.profiles_path().empty());
  EXPECT_EQ(manifest.unusable, "");
  EXPECT_THAT(manifest.option_names(), ElementsAre("tag", "mp-size"));
  ASSERT_NE(manifest.option("mp_size"), nullptr);
  EXPECT_EQ(manifest.option("mp_size")->default_json, "1");
}

TEST(Manifest, KeepsANoteOfMembersItDoesNotKnow) {
  Json manifest = reader();
  manifest["colour"] = "red";
  EXPECT_THAT(parse(manifest).notes,
              ElementsAre("/p/zero3-reader.json: unknown member \"colour\""));
}

TEST(Manifest, HasOneRewriteForEachWayOfATransform) {
  Json manifest = reader();
  manifest.erase("gives");
  manifest["rewrites"] = Json::parse(R"([
    {"accepts": {"names": "savanna"}, "gives": {"names": "megatron"}, "colour": "red"},
    {"accepts": {"names": "megatron"}, "gives": {"mp_world_size": "option:mp-size"}}])");
  const Manifest parsed = parse(manifest);
  ASSERT_EQ(parsed.rewrites.size(), 2u);
  EXPECT_EQ(parsed.rewrites[0].gives.at("names"), "megatron");
  EXPECT_EQ(parsed.rewrites[1].accepts.at("names"), "megatron");
  EXPECT_THAT(parsed.notes,
              ElementsAre("/p/zero3-reader.json: rewrites[0]: unknown member \"colour\""));
  manifest["accepts"] = {{"names", "savanna"}};
  EXPECT_THAT(error_of(CKB_CORRUPT, [&] { parse(manifest); }),
              HasSubstr("rewrites: stands in the place of accepts and gives"));
  manifest.erase("accepts");
  manifest["rewrites"][1]["gives"] = {{"mp_world_size", "option:mp-sise"}};
  EXPECT_THAT(error_of(CKB_CORRUPT, [&] { parse(manifest); }),
              HasSubstr("rewrites[1]: gives: mp_world_size refers to the option \"mp-sise\""));
}

TEST(Manifest, OfANewerAbiIsKeptWithTheReason) {
  Json manifest = reader();
  manifest["abi"] = "1.3";
  EXPECT_EQ(parse(manifest).unusable, "needs ckptbridge plugin ABI 1.3, this is 1.0");
  manifest["abi"] = "2.0";
  EXPECT_EQ(parse(manifest).unusable, "needs ckptbridge plugin ABI 2.0, this is 1.0");
}

TEST(Manifest, OfANewerManifestVersionIsRefusedBeforeAllElse) {
  EXPECT_EQ(
      error_of(CKB_CORRUPT,
               [] { parse_manifest(R"({"manifest_version": 2, "id": 7})", "/p/x.json"); }),
      "/p/x.json: manifest_version: is 2, this program knows 1; a newer ckptbridge is needed");
}

TEST(Manifest, ThatIsNotJsonNamesLineAndColumn) {
  EXPECT_THAT(error_of(CKB_CORRUPT, [] { parse_manifest("{\n\"id\": }", "/p/x.json"); }),
              StartsWith("/p/x.json: not JSON: parse error at line 2, column 7"));
  EXPECT_EQ(error_of(CKB_CORRUPT, [] { parse_manifest("[]", "/p/x.json"); }),
            "/p/x.json: expected an object, found []");
}

TEST(Manifest, WithoutANeededMemberNamesIt) {
  for (const char* member :
       {"manifest_version", "id", "version", "abi", "library", "summary", "format"}) {
    Json manifest = reader();
    manifest.erase(member);
    EXPECT_EQ(error_of(CKB_CORRUPT, [&] { parse(manifest); }),
              std::string("/p/zero3-reader.json: ") + member + ": is missing");
  }
}

TEST(Manifest, WithAMemberOfAnotherTypeNamesIt) {
  EXPECT_EQ(error_with("summary", 3), "/p/zero3-reader.json: summary: expected a string, found 3");
  EXPECT_EQ(error_with("matches", "*.pt"),
            "/p/zero3-reader.json: matches: expected an array, found \"*.pt\"");
  EXPECT_EQ(error_with("gives", {{"names", 1}}),
            "/p/zero3-reader.json: gives: names: expected a string, found 1");
  EXPECT_THAT(error_with("library", std::string("a\0b", 3)), HasSubstr("NUL"));
}

TEST(Manifest, NamesARoleThatThereIsNot) {
  EXPECT_EQ(error_with("roles", {"raeder"}),
            "/p/zero3-reader.json: roles: \"raeder\" is none of reader, transform, writer, "
            "recognise, compute, preset; did you mean \"reader\"?");
  EXPECT_THAT(error_with("roles", Json::array()), HasSubstr("one of reader, transform"));
}

TEST(Manifest, MustBeNamedAsItsId) {
  EXPECT_EQ(error_with("id", "other"),
            "/p/zero3-reader.json: id: is \"other\", so the file must be named other.json");
  EXPECT_THAT(error_with("id", "Zero3"), HasSubstr("small letters"));
  EXPECT_EQ(parse(
                [] {
                  Json manifest = reader();
                  manifest["id"] = "acme.gguf_writer-2";
                  return manifest;
                }(),
                "/p/acme.gguf_writer-2.json")
                .id,
            "acme.gguf_writer-2");
}

TEST(Manifest, CannotNameALibraryOutsideItsFolder) {
  for (const char* library : {"/lib/evil.so", "../evil.so", "a/../../evil.so", ""}) {
    EXPECT_THAT(error_with("library", library), HasSubstr("below the manifest's folder"));
    EXPECT_THAT(error_with("profiles", std::string(library) + "/.."),
                HasSubstr("below the manifest's folder"));
  }
}

TEST(Manifest, WithABadAbiNamesIt) {
  for (const char* abi : {"1", "one", "1.", "1.0.0", "1.x", "-1.0"}) {
    EXPECT_THAT(error_with("abi", abi), HasSubstr("is not MAJOR.MINOR"));
  }
}

TEST(Manifest, WithABadOptionNamesItsPlace) {
  const auto error = [](const char* option) {
    return error_with("options", Json::array({Json::parse(option)}));
  };
  const std::string place = "/p/zero3-reader.json: options[0]: ";
  EXPECT_EQ(error(R"({"type": "string"})"), place + "name: is missing");
  EXPECT_THAT(error(R"({"name": "a_b", "type": "string"})"), HasSubstr("hyphens"));
  EXPECT_THAT(error(R"({"name": "path", "type": "string"})"), HasSubstr("input or output"));
  EXPECT_THAT(error(R"({"name": "a", "type": "int"})"), HasSubstr("\"int\" is none of string"));
  EXPECT_THAT(error(R"({"name": "a", "type": "choice"})"), StartsWith(place + "choices"));
  EXPECT_THAT(error(R"({"name": "a", "type": "string", "choices": ["b"]})"),
              StartsWith(place + "choices"));
  EXPECT_EQ(error(R"({"name": "a", "type": "integer", "default": "1"})"),
            place + "default: \"1\" is not a value of type integer");
  EXPECT_EQ(error(R"({"name": "a", "type": "string", "repeated": true, "default": "1"})"),
            place + "default: \"1\" is not an array of type string");
  EXPECT_THAT(error(R"({"name": "a", "type": "choice", "choices": ["b"], "default": "c"})"),
              HasSubstr("default"));
  EXPECT_THAT(error(R"({"name": "a", "type": "string", "required": true, "default": ""})"),
              StartsWith(place + "required"));
}

TEST(Manifest, CannotDeclareAnOptionTwice) {
  const Json option = {{"name", "a"}, {"type", "string"}};
  EXPECT_THAT(error_with("options", Json::array({option, option})),
              HasSubstr("options: \"a\" is there twice"));
}

TEST(Manifest, CannotReferToAnOptionThatItLacks) {
  EXPECT_EQ(error_with("gives", {{"mp_world_size", "option:mp-sise"}}),
            "/p/zero3-reader.json: gives: mp_world_size refers to the option \"mp-sise\", which "
            "options lacks; did you mean \"mp-size\"?");
}

TEST(Manifest, ThatOnlyRecognisesHasNoLibrary) {
  Json manifest = {{"manifest_version", 1},
                   {"id", "git-lfs"},
                   {"roles", {"recognise"}},
                   {"summary", "git-lfs pointers"},
                   {"format", "git-lfs pointer"},
                   {"begins_with", "version https://git-lfs"},
                   {"text", "get the file by `git lfs pull`"}};
  EXPECT_EQ(parse(manifest, "/p/git-lfs.json").library, "");
  manifest.erase("begins_with");
  EXPECT_THAT(error_of(CKB_CORRUPT, [&] { parse(manifest, "/p/git-lfs.json"); }),
              HasSubstr("recognise needs matches"));
  manifest.erase("text");
  EXPECT_THAT(error_of(CKB_CORRUPT, [&] { parse(manifest, "/p/git-lfs.json"); }),
              HasSubstr("text: is missing"));
}

}  // namespace
}  // namespace ckptbridge
