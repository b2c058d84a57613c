#include "cli/failure.h"

#include <cstdio>

#include <fmt/format.h>

#include "cli/terminal/exit_code.h"
#include "core/text/json.h"
#include "core/text/printable.h"

namespace ckptbridge::cli {
namespace {

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

}  // namespace

bool wants_json(const Arguments& arguments) {
  bool wants = false;
  for (const std::string& argument : arguments) {
    if (argument == "--") break;
    if (argument == "--json" || argument == "--json=true") wants = true;
    if (argument == "--json=false") wants = false;
  }
  return wants;
}

int report_failure(const Error& error, bool json) {
  if (json) {
    const About& about = error.about();
    const Json failure = {{"code", status_word(error.code())},
                          {"message", error.what()},
                          {"file", text_or_null(about.file)},
                          {"tensor", text_or_null(about.tensor)},
                          {"hint", text_or_null(about.hint)}};
    // One line. What is no UTF-8 (a file's name) is replaced, as a program could not read it.
    fmt::print(stderr, "{}\n", failure.dump());
  } else {
    fmt::print(stderr, "ckptbridge: {}\n", printable(error.what(), true));
  }
  return exit_code(error.code());
}

int report_out_of_memory(bool json) {
  std::fputs(json ? R"({"code":"internal","message":"out of memory","file":null,"tensor":null,)"
                    R"("hint":null})"
                    "\n"
                  : "ckptbridge: out of memory\n",
             stderr);
  return exit_code(CKB_INTERNAL);
}

}  // namespace ckptbridge::cli
