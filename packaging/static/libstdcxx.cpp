// What a binary built with g++ 12 asks of libstdc++ that g++ 11's (RHEL 9, Ubuntu 22.04) lacks.
// Linked into each program and plugin of a package, and hidden there, so that none of it is asked
// for.
#include <cstdio>
#include <cstdlib>

namespace std {  // NOLINT(cert-dcl58-cpp): that is the name the headers call

// GLIBCXX_3.4.30. What a failed check of the library's own preconditions calls.
[[noreturn]] void __glibcxx_assert_fail(const char* file, int line, const char* function,
                                        const char* condition) noexcept {
  std::fprintf(stderr, "%s:%d: %s: assertion '%s' failed\n", file, line, function, condition);
  std::abort();
}

}  // namespace std

// std::condition_variable::wait is there twice: as GLIBCXX_3.4.30, the default, and as before.
extern "C" {
__asm__(
    ".symver ckptbridge_wait_of_old, "
    "_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE@GLIBCXX_3.4.11");
void ckptbridge_wait_of_old(void* condition, void* lock);

void ckptbridge_wait(void* condition, void* lock) __asm__(
    "_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE");
__attribute__((visibility("hidden"))) void ckptbridge_wait(void* condition, void* lock) {
  ckptbridge_wait_of_old(condition, lock);
}
}
