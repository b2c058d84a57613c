# For packages (CKPTBRIDGE_STATIC_DEPS): Boost.Filesystem, fmt, isa-l and zlib become part of the
# programs and plugins, since not every system has them, and nothing is asked of libstdc++ that RHEL 9
# and Ubuntu 22.04 lack. Only what is linked differs from another build, never what is compiled.

# isa-l: -DCKPTBRIDGE_ISAL=…/libisal.a (packaging/isal.sh builds it); zlib by its own switch.
set(ZLIB_USE_STATIC_LIBS ON)

# Boost.Filesystem, in the place of the shared one.
find_library(BOOST_FILESYSTEM_ARCHIVE libboost_filesystem.a REQUIRED)
set_target_properties(Boost::filesystem PROPERTIES
  IMPORTED_LOCATION ${BOOST_FILESYSTEM_ARCHIVE} IMPORTED_LOCATION_NONE ${BOOST_FILESYSTEM_ARCHIVE}
  IMPORTED_LOCATION_RELEASE ${BOOST_FILESYSTEM_ARCHIVE})

# fmt, whose archive Debian does not package.
add_library(ckptbridge_fmt STATIC packaging/static/fmt.cpp)
target_compile_definitions(ckptbridge_fmt PUBLIC FMT_SHARED) # as where it is shared
add_library(fmt::fmt ALIAS ckptbridge_fmt)

add_library(ckptbridge_libstdcxx STATIC packaging/static/libstdcxx.cpp)
link_libraries(ckptbridge_libstdcxx)

# Stripped by the linker, so that the build id depends on what is left; read-only after loading.
add_link_options(LINKER:-s LINKER:--build-id=sha1 LINKER:-z,relro LINKER:-z,now)
