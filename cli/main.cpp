// The command: reads its arguments, calls a verb, and turns what went wrong into an exit code.
#include <cstdio>
#include <exception>
#include <new>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "cli/dispatch.h"
#include "cli/failure.h"

int main(int argc, char** argv) {
  using ckptbridge::Error;
  using ckptbridge::cli::report_failure;
  bool json = false;
  try {
    try {
      const ckptbridge::cli::Arguments arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
      json = ckptbridge::cli::wants_json(arguments);
      const int code = ckptbridge::cli::dispatch(arguments);
      if (std::fflush(stdout) != 0) throw Error(CKB_IO, "the standard output cannot be written");
      return code;
    } catch (const Error& error) {
      return report_failure(error, json);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      return report_failure(Error(CKB_INTERNAL, fmt::format("a bug: {}", error.what())), json);
    }
  } catch (const std::bad_alloc&) {
    return ckptbridge::cli::report_out_of_memory(json);
  }
}
