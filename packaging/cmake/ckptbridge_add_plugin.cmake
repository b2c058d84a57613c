# The folder of plugins, below the prefix. It carries the ABI's major, so that two majors can be
# installed side by side. Plain lib, whatever the distribution's own folder is called: the command
# looks for plugins there.
set(CKPTBRIDGE_PLUGIN_DIR lib/ckptbridge/plugins-1)

# ckptbridge_add_plugin(<id> SOURCES <file>... [LIBRARIES <target>...] [DATA <folder>...]
#                       [FOLDER <folder>] [COMPONENT <component>])
#
# Builds <id>.so from C or C++, which exports its entry point and nothing else, and places it beside
# its manifest, made from <id>.json.in (@PROJECT_VERSION@ is filled in), and <id>.check.json, if there
# is one. Folders named after DATA are
# copied beside them. In the build tree the files lie under <build>/lib/ckptbridge/plugins-1, so that
# a program in <build>/bin finds them as an installed one would, and they are installed to
# lib/ckptbridge/plugins-1 below the prefix, as part of COMPONENT; with FOLDER, they lie there, and
# are not installed.
function(ckptbridge_add_plugin id)
  cmake_parse_arguments(ARG "" "FOLDER;COMPONENT" "SOURCES;LIBRARIES;DATA" ${ARGN})
  set(folder ${CMAKE_BINARY_DIR}/${CKPTBRIDGE_PLUGIN_DIR})
  if(ARG_FOLDER)
    set(folder ${ARG_FOLDER})
  endif()

  add_library(${id} MODULE ${ARG_SOURCES})
  target_link_libraries(${id} PRIVATE ckptbridge::plugin ${ARG_LIBRARIES})
  if(TARGET ckptbridge_pch_std AND NOT ARG_FOLDER AND NOT ARG_COMPONENT) # a plugin of this tree
    target_precompile_headers(${id} REUSE_FROM ckptbridge_pch_std)
  endif()
  target_compile_definitions(${id} PRIVATE CKPTBRIDGE_VERSION="${PROJECT_VERSION}")
  set(map ${CMAKE_CURRENT_BINARY_DIR}/${id}.map)
  file(WRITE ${map} "{ global: ckptbridge_plugin_v1; local: *; };\n")
  target_link_options(${id} PRIVATE "LINKER:--version-script=${map}")
  if(NOT CKPTBRIDGE_SANITIZE) # the sanitizers' runtime is in the program
    target_link_options(${id} PRIVATE "LINKER:--no-undefined")
  endif()
  set_target_properties(${id} PROPERTIES
    PREFIX "" C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY ${folder})

  configure_file(${id}.json.in ${folder}/${id}.json @ONLY)
  set(manifests ${folder}/${id}.json)
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${id}.check.json)
    configure_file(${id}.check.json ${folder}/${id}.check.json COPYONLY)
    list(APPEND manifests ${folder}/${id}.check.json)
  endif()
  foreach(data IN LISTS ARG_DATA)
    get_filename_component(name ${data} NAME)
    add_custom_target(${id}-${name}
      COMMAND ${CMAKE_COMMAND} -E rm -rf ${folder}/${name}
      COMMAND ${CMAKE_COMMAND} -E copy_directory ${CMAKE_CURRENT_SOURCE_DIR}/${data} ${folder}/${name})
    add_dependencies(${id} ${id}-${name})
  endforeach()
  if(NOT ARG_FOLDER)
    set_property(GLOBAL APPEND PROPERTY CKPTBRIDGE_PLUGINS ${id})
    set(component)
    if(ARG_COMPONENT)
      set(component COMPONENT ${ARG_COMPONENT})
    endif()
    install(TARGETS ${id} LIBRARY DESTINATION ${CKPTBRIDGE_PLUGIN_DIR} ${component})
    install(FILES ${manifests} DESTINATION ${CKPTBRIDGE_PLUGIN_DIR} ${component})
    if(ARG_DATA)
      install(DIRECTORY ${ARG_DATA} DESTINATION ${CKPTBRIDGE_PLUGIN_DIR} ${component})
    endif()
  endif()
endfunction()

# ckptbridge_add_manifest(<id>)
#
# Places a manifest that has no library (its role is "recognise" or "preset"), made from <id>.json.in.
function(ckptbridge_add_manifest id)
  set(folder ${CMAKE_BINARY_DIR}/${CKPTBRIDGE_PLUGIN_DIR})
  configure_file(${id}.json.in ${folder}/${id}.json @ONLY)
  install(FILES ${folder}/${id}.json DESTINATION ${CKPTBRIDGE_PLUGIN_DIR})
endfunction()
