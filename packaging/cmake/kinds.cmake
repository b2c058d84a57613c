# What differs between the kinds of packages. Debian's alone has ckptbridge-torch: the others' systems
# have another libtorch, or none.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
  set(CPACK_COMPONENTS_ALL ckptbridge ckptbridge-dev)
endif()
if(CPACK_GENERATOR STREQUAL "TGZ")
  set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)
  set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
  set(CPACK_PACKAGING_INSTALL_PREFIX /)
  set(CPACK_COMPONENT_INCLUDE_TOPLEVEL_DIRECTORY ON)
  set(CPACK_INCLUDE_TOPLEVEL_DIRECTORY ON)
endif()
