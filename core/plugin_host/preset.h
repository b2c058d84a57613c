// A preset: a verb that is data. Its manifest says what it takes, and for which conversion it
// stands. include/README.md describes each member.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ckptbridge {

class JsonObject;

// One argument of the verb.
struct PresetArgument {
  std::vector<std::string> names;    // "-t", "--tag"; of a positional argument its only one, "IN"
  std::string value_name;            // "" for a flag and for a positional argument
  std::vector<std::string> choices;  // the values that it may have; none: any
  std::string fallback;              // its value where nothing is typed; "": it has none
  bool required = false;
  std::string help;

  bool is_positional() const;
  bool is_flag() const;
  // By what places call it: "tag", "IN".
  std::string name() const;
};

// A text with places for what is typed: "ranks-{zero3-reader.rank-start:first}".
struct Template {
  struct Piece {
    std::string text;                      // of a place: the name in it
    bool is_place = false;                 //
    std::optional<std::string> otherwise;  // what a place holds where nothing is typed
  };
  std::string text;  // as it stands in the manifest
  std::vector<Piece> pieces;

  // The name in the first place; "": there is no place.
  std::string first_place() const;
};

// What is typed for a name; nothing where nothing is.
using Typed = std::function<std::optional<std::string>(const std::string& name)>;

// The text with all its places filled. Nothing where one of them stays empty.
std::optional<std::string> filled(const Template& text, const Typed& typed);

// A value that the verb sets for an option that was not typed.
struct PresetOption {
  std::string plugin;  // of the chain; "": an option of the command itself
  std::string name;
  Template value;
};

struct Preset {
  std::string verb;
  std::string usage;        // what follows the verb
  std::string description;  // for the verb's own help
  std::vector<PresetArgument> arguments;
  Template input;
  Template output;
  Template folder;                 // below output
  Template to;                     // the format, where there is no chain
  std::vector<std::string> chain;  // ids of plugins
  std::vector<PresetOption> options;
  Template job;  // of several that fill one output together; see Request
  bool skip_complete = false;

  // nullptr: there is none. Hyphens and underscores are the same.
  const PresetArgument* argument(std::string_view name) const;
};

// "plugin.option" in its parts; the plugin is "" where there is no dot.
std::pair<std::string, std::string> split_plugin(const std::string& name);

// Reads what a manifest with the role preset has of its own. Throws CORRUPT, which names member and
// manifest. unknown: gets a sentence for each member of an argument that is not known.
Preset parse_preset(JsonObject& object, std::vector<std::string>& unknown);

}  // namespace ckptbridge
