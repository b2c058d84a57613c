// The command: reads its arguments, calls a verb, and turns what went wrong into an exit code.
#include <cstdio>
#include <exception>
#include <new>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/exit_code.h"
#include "cli/verbs.h"
#include "core/words.h"

namespace {

int report(ckb_status status, const char* message) {
  fmt::print(stderr, "ckptbridge: {}\n", ckptbridge::printable(message, true));
  return ckptbridge::cli::exit_code(status);
}

}  // namespace

int main(int argc, char** argv) {
  using ckptbridge::Error;
  try {
    const int code = ckptbridge::cli::dispatch({argv + (argc > 0 ? 1 : 0), argv + argc});
    if (std::fflush(stdout) != 0) throw Error(CKB_IO, "the standard output cannot be written");
    return code;
  } catch (const Error& error) {
    return report(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return report(CKB_INTERNAL, "out of memory");
  } catch (const std::exception& error) {
    return report(CKB_INTERNAL, fmt::format("a bug: {}", error.what()).c_str());
  }
}
