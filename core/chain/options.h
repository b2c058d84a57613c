// What a user typed becomes the one JSON object that a plugin gets as its options.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/filesystem/path.hpp>

#include "core/plugin_host/manifest.h"

namespace ckptbridge {

// One option as it was typed. A boolean may come without a value.
struct OptionText {
  std::string name;  // hyphens and underscores are the same
  std::optional<std::string> value;
};

// "name=value" or "name" in its parts.
OptionText split_option(const std::string& text);

// The options of a plugin as JSON text: checked and typed as its manifest declares, defaults filled
// in, members in the order of the manifest. A relative path becomes one below folder; a repeated
// option is always an array. Throws INVALID_ARGUMENT, which names plugin and option.
std::string options_json(const Manifest& manifest, const std::vector<OptionText>& given,
                         const boost::filesystem::path& folder);

// Those among the options of a whole chain that this plugin takes, by their declared names.
std::vector<OptionText> options_for(const Manifest& plugin, const std::vector<OptionText>& given);

// The value that an option will have, as text: given, or the default. Nothing without either.
std::optional<std::string> option_value(const Manifest& plugin, const std::string& name,
                                        const std::vector<OptionText>& given);

// Throws INVALID_ARGUMENT for an option that no plugin of the chain declares, or that several do
// and that is not written as "plugin-id.name". unused: plugins that could have been in the chain;
// where one of them has the option, the hint says so.
void require_one_owner(const std::vector<const Manifest*>& chain,
                       const std::vector<OptionText>& given,
                       const std::vector<const Manifest*>& unused = {});

}  // namespace ckptbridge
