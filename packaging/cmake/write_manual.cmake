# Runs at installation: the installed command writes its own manual pages, so that they hold what it
# and the plugins beside it take. PROGRAM: the command; FOLDER: where the pages go; ALONE: it has no verbs.
set(run ${CMAKE_COMMAND} -E env --unset=CKPTBRIDGE_PLUGIN_PATH --unset=XDG_DATA_HOME --unset=HOME
  ${PROGRAM})

function(ckptbridge_write_page name)
  execute_process(COMMAND ${run} ${ARGN} --help=man OUTPUT_FILE ${FOLDER}/${name}.1
    COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND gzip -9 --no-name --force ${FOLDER}/${name}.1 COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(MAKE_DIRECTORY ${FOLDER})
get_filename_component(program ${PROGRAM} NAME)
ckptbridge_write_page(${program})
if(ALONE)
  return()
endif()
execute_process(COMMAND ${run} --help=words OUTPUT_VARIABLE words COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE ";" "," words "${words}") # which would end an element of the list
string(REGEX MATCHALL "[^\n]+" lines "${words}")
foreach(line IN LISTS lines)
  string(REGEX REPLACE "\t.*" "" verb "${line}")
  ckptbridge_write_page(${program}-${verb} ${verb})
endforeach()
