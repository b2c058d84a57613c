// Where things lie in the sources and in the build. Functions rather than definitions for the
// compiler, so that a clone in another folder compiles tests as they are compiled here, and a cache
// of objects has them.
#pragma once

namespace ckptbridge::paths {

const char* sources();
const char* golden();    // tests/golden
const char* profiles();  // of the sizes of Evo2
const char* command();
const char* plugins();  // those that ship

// Made for tests.
const char* aged_plugins();
const char* fault_shim();
const char* job_command();
const char* keeper();  // the manifest of a plugin that keeps the host's table
const char* toy_compute();
const char* toy_plugins();

}  // namespace ckptbridge::paths
