// Ctrl-C, and what a batch system sends before it kills.
#pragma once

namespace ckptbridge::cli {

// From now on SIGINT and SIGTERM are remembered; a second one of a kind ends the process at once.
// A write beyond `ulimit -f` fails from now on, and does not end the process.
void watch_signals();

// Whether one has come.
bool stop_was_asked();

}  // namespace ckptbridge::cli
