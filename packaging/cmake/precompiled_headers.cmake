# Precompiled headers: a build reads the standard library once, not once for each file. They are for speed alone:
# -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON builds without them, and shows a file that lacks an include.
#
#   ckptbridge_pch_std    the standard library, for plugins and what is linked into them
#   ckptbridge_pch_host   and Boost.Filesystem and {fmt}, for core and cli
#   ckptbridge_pch_test   and GoogleTest, for tests (as programs are compiled: -fPIE)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/nothing.cpp CONTENT "int main() {}\n")
set(standard_headers <algorithm> <array> <bit> <charconv> <cstddef> <cstdint> <cstring> <functional> <limits> <map>
  <memory> <mutex> <numeric> <optional> <set> <span> <stdexcept> <string> <string_view> <tuple> <type_traits>
  <unordered_map> <unordered_set> <utility> <variant> <vector>)
set(host_headers <boost/filesystem/operations.hpp> <boost/filesystem/path.hpp> <fmt/format.h>)

add_library(ckptbridge_pch_std OBJECT ${CMAKE_BINARY_DIR}/nothing.cpp)
target_precompile_headers(ckptbridge_pch_std PRIVATE ${standard_headers})
add_library(ckptbridge_pch_host OBJECT ${CMAKE_BINARY_DIR}/nothing.cpp)
target_link_libraries(ckptbridge_pch_host PRIVATE Boost::filesystem fmt::fmt)
target_precompile_headers(ckptbridge_pch_host PRIVATE ${standard_headers} ${host_headers})
if(CKPTBRIDGE_BUILD_TESTS)
  find_package(GTest 1.12 REQUIRED)
  add_executable(ckptbridge_pch_test ${CMAKE_BINARY_DIR}/nothing.cpp)
  target_link_libraries(ckptbridge_pch_test PRIVATE Boost::filesystem fmt::fmt GTest::gmock)
  target_precompile_headers(ckptbridge_pch_test PRIVATE ${standard_headers} ${host_headers} <gmock/gmock.h>
    <gtest/gtest.h>)
endif()
