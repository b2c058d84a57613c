// Which reader an input is for.
#pragma once

#include <string>

#include <boost/filesystem/path.hpp>

#include "core/plugin_host/host.h"
#include "core/plugin_host/registry.h"

namespace ckptbridge {

// Returns the reader of a format that the user named; else the reader whose patterns fit the
// input's names and, where several fit, whose probe is surest. Throws NOT_FOUND if the input is not
// there, and UNSUPPORTED, with what can be read (and what a recognised but unreadable format is),
// if no reader takes the input.
const Manifest& detect_reader(const Registry& registry, const Host& host,
                              const boost::filesystem::path& input, const std::string& from);

}  // namespace ckptbridge
