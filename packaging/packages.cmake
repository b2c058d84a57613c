# The packages: ckptbridge, ckptbridge-dev and (where libtorch was found) ckptbridge-torch as .deb and
# .rpm, and a tarball of the first two. packaging/package.sh builds them all.
set(CPACK_PACKAGE_NAME ckptbridge)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "ckptbridge maintainers <maintainers@ckptbridge.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(abi 1.0) # of plugin.h: CKB_ABI_MAJOR.CKB_ABI_MINOR

set(CPACK_COMPONENTS_ALL ${components})
set(CPACK_COMPONENTS_GROUPING IGNORE)

set(CPACK_PACKAGE_VENDOR ckptbridge)

set(description_ckptbridge
"Converts checkpoints of DeepSpeed (ZeRO), savanna and NeMo2 into each other,
streaming tensors through a bounded buffer and without running what a pickle
says. Formats are plugins behind a C ABI, and this package has the command,
its plugins and the profiles of the Evo2 model sizes.")
set(description_ckptbridge-dev
"For authors of plugins: the headers of the plugin ABI, the CMake package with
its function ckptbridge_add_plugin, and ckptbridge-plugin-check, which tests
whether a plugin keeps to the rules.")
set(description_ckptbridge-torch
"The plugin torch-compute, which says by libtorch how far tensors differ that
should be equal. Nothing else of ckptbridge needs libtorch.")
set(summary_ckptbridge "${PROJECT_DESCRIPTION}")
set(summary_ckptbridge-dev "What authors of ckptbridge's plugins need")
set(summary_ckptbridge-torch "Tensor arithmetic for ckptbridge, by libtorch")

# Files have the time of the sources, not of the build.
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_SOURCE_DIR}/cmake/set_times.cmake)

# Debian packages.
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${CKPTBRIDGE_PACKAGE_RELEASE})
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_HOMEPAGE "")
set(CPACK_DEBIAN_CKPTBRIDGE_PACKAGE_NAME ckptbridge)
set(CPACK_DEBIAN_CKPTBRIDGE_PACKAGE_SECTION science)
set(CPACK_DEBIAN_CKPTBRIDGE_PACKAGE_PROVIDES "ckptbridge-plugin-abi-1 (= ${abi})")
set(CPACK_DEBIAN_CKPTBRIDGE_DESCRIPTION "${description_ckptbridge}")
set(CPACK_DEBIAN_CKPTBRIDGE-DEV_PACKAGE_NAME ckptbridge-dev)
set(CPACK_DEBIAN_CKPTBRIDGE-DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_CKPTBRIDGE-DEV_PACKAGE_DEPENDS
  "ckptbridge (= ${PROJECT_VERSION}-${CKPTBRIDGE_PACKAGE_RELEASE})")
set(CPACK_DEBIAN_CKPTBRIDGE-DEV_DESCRIPTION "${description_ckptbridge-dev}")
set(CPACK_DEBIAN_CKPTBRIDGE-TORCH_PACKAGE_NAME ckptbridge-torch)
set(CPACK_DEBIAN_CKPTBRIDGE-TORCH_PACKAGE_SECTION science)
set(CPACK_DEBIAN_CKPTBRIDGE-TORCH_PACKAGE_DEPENDS "ckptbridge-plugin-abi-1 (>= ${abi})")
set(CPACK_DEBIAN_CKPTBRIDGE-TORCH_DESCRIPTION "${description_ckptbridge-torch}")

# RPM packages.
set(CPACK_RPM_COMPONENT_INSTALL ON)
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_RELEASE ${CKPTBRIDGE_PACKAGE_RELEASE})
set(CPACK_RPM_PACKAGE_LICENSE "Apache-2.0 AND BSL-1.0 AND MIT AND BSD-3-Clause AND Zlib")
set(CPACK_RPM_PACKAGE_GROUP Applications/Engineering)
set(CPACK_RPM_MAIN_COMPONENT ckptbridge)
set(CPACK_RPM_COMPRESSION_TYPE xz)
foreach(component IN LISTS components)
  string(TOUPPER ${component} upper)
  set(CPACK_RPM_${upper}_PACKAGE_NAME ${component})
  set(CPACK_RPM_${upper}_PACKAGE_SUMMARY "${summary_${component}}")
  set(CPACK_RPM_${upper}_PACKAGE_DESCRIPTION "${description_${component}}")
endforeach()
set(CPACK_RPM_CKPTBRIDGE_PACKAGE_PROVIDES
  "ckptbridge(plugin-abi) = ${abi}, ckptbridge-plugin-abi-1 = ${abi}")
set(CPACK_RPM_CKPTBRIDGE-DEV_PACKAGE_REQUIRES
  "ckptbridge = ${PROJECT_VERSION}-${CKPTBRIDGE_PACKAGE_RELEASE}")
set(CPACK_RPM_CKPTBRIDGE-TORCH_PACKAGE_REQUIRES "ckptbridge(plugin-abi) >= ${abi}")
# Folders that every system has are not ours.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION /usr/lib/cmake /usr/share/man /usr/share/man/man1
  /usr/share/bash-completion /usr/share/bash-completion/completions /usr/share/zsh
  /usr/share/zsh/site-functions /usr/share/fish /usr/share/fish/vendor_completions.d)
set(CPACK_RPM_SPEC_MORE_DEFINE "%define packager ${CPACK_PACKAGE_CONTACT}
%define __os_install_post %{nil}
%define _build_id_links none
%define _buildhost localhost
%define use_source_date_epoch_as_buildtime 1
%define clamp_mtime_to_source_date_epoch 1")

# The tarball: one folder to unpack anywhere.
set(CPACK_ARCHIVE_FILE_NAME ckptbridge-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_PACKAGE_FILE_NAME ${CPACK_ARCHIVE_FILE_NAME})
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_SOURCE_DIR}/cmake/kinds.cmake)
include(CPack)
