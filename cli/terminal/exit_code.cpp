#include "cli/terminal/exit_code.h"

namespace ckptbridge::cli {

int exit_code(ckb_status status) {
  switch (status) {
    case CKB_OK:
      return 0;
    case CKB_INVALID_ARGUMENT:
      return 2;
    case CKB_NOT_FOUND:
    case CKB_CORRUPT:
    case CKB_UNSUPPORTED:
      return 3;
    case CKB_EXISTS:
      return 5;
    case CKB_IO:
      return 6;
    case CKB_MEMORY:
      return 7;
    case CKB_CANCELLED:
      return 75;
    default:
      return 1;
  }
}

const char* status_word(ckb_status status) {
  switch (status) {
    case CKB_INVALID_ARGUMENT:
      return "invalid_argument";
    case CKB_NOT_FOUND:
      return "not_found";
    case CKB_CORRUPT:
      return "corrupt";
    case CKB_UNSUPPORTED:
      return "unsupported";
    case CKB_IO:
      return "io";
    case CKB_CANCELLED:
      return "cancelled";
    case CKB_EXISTS:
      return "exists";
    case CKB_MEMORY:
      return "memory";
    default:
      return "internal";
  }
}

}  // namespace ckptbridge::cli
