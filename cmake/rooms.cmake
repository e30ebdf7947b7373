# One static library per folder of harness/, and what keeps the layers: each room's headers are visible through a
# tree of its own in the build directory,
#
#   <build>/include/<room>/harness/<room> -> <source>/harness/<room>
#
# and through nothing else. A room sees its own tree and those of the rooms it links, so
# #include "harness/verdict/oracle.hpp" compiles only where verdict is linked. The root of the repository is on
# nobody's include path.
#
# A folder that does not exist yet is skipped; the globs notice when it appears.

# Makes FOLDER (from the root of the repository) includable as "FOLDER/...", through the tree called TREE.
function(scopecheck_expose_headers TREE FOLDER)
  set(root "${CMAKE_BINARY_DIR}/include/${TREE}")
  cmake_path(GET FOLDER PARENT_PATH parent)
  file(MAKE_DIRECTORY "${root}/${parent}")
  file(CREATE_LINK "${CMAKE_SOURCE_DIR}/${FOLDER}" "${root}/${FOLDER}" SYMBOLIC)
endfunction()

# Lets TARGET and whoever links it include from the tree called TREE. SCOPE: PUBLIC, or INTERFACE for a target
# without sources.
function(scopecheck_use_headers TARGET SCOPE TREE)
  set(root "${CMAKE_BINARY_DIR}/include/${TREE}")
  target_include_directories(${TARGET} ${SCOPE} "${root}")
  # Diagnostics of a debugger and a sanitizer name the true file, not the link.
  target_compile_options(${TARGET} ${SCOPE} "-fdebug-prefix-map=${root}=${CMAKE_SOURCE_DIR}"
                         "-fmacro-prefix-map=${root}/=")
endfunction()

# scopecheck_add_room(NAME [HIDDEN_FROM_TSAN] [NO_COVERAGE] [DEPENDS room...] [PACKAGES target...] [EXCEPT file...])
#
# The library scopecheck_NAME, alias scopecheck::NAME, from harness/NAME/*.{cpp,c} without EXCEPT.
# HIDDEN_FROM_TSAN: never instrumented with -fsanitize=thread, because its synchronisation and its bookkeeping must
# not look like the tested implementation's.
# NO_COVERAGE: fuzzing engines are not told which of its lines ran. They would take the harness's own paths for news,
# and look at all of its counters after every run; what happened to the implementation they learn from ledger states.
function(scopecheck_add_room NAME)
  cmake_parse_arguments(PARSE_ARGV 1 ROOM "HIDDEN_FROM_TSAN;NO_COVERAGE" "" "DEPENDS;PACKAGES;EXCEPT")
  set(folder "${CMAKE_SOURCE_DIR}/harness/${NAME}")
  file(GLOB present CONFIGURE_DEPENDS "${folder}/*")
  if(NOT present)
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.cpp" "${folder}/*.c")
  foreach(file IN LISTS ROOM_EXCEPT)
    list(REMOVE_ITEM sources "${folder}/${file}")
  endforeach()

  if(sources)
    add_library(scopecheck_${NAME} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(scopecheck_${NAME} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(scopecheck::${NAME} ALIAS scopecheck_${NAME})

  scopecheck_expose_headers(${NAME} harness/${NAME})
  scopecheck_use_headers(scopecheck_${NAME} ${scope} ${NAME})
  target_link_libraries(scopecheck_${NAME} ${scope} ${ROOM_PACKAGES})
  foreach(room IN LISTS ROOM_DEPENDS)
    if(TARGET scopecheck_${room})
      target_link_libraries(scopecheck_${NAME} ${scope} scopecheck::${room})
    endif()
  endforeach()

  if(ROOM_HIDDEN_FROM_TSAN AND sources AND SCOPECHECK_SANITIZE MATCHES "thread")
    target_compile_options(scopecheck_${NAME} PRIVATE -fno-sanitize=thread)
  endif()
  if(ROOM_NO_COVERAGE AND sources)
    target_compile_options(scopecheck_${NAME} PRIVATE ${SCOPECHECK_NO_COVERAGE})
  endif()
endfunction()

# scopecheck_impls: the implementations that live in this tree, as objects, so that the linker cannot drop a
# registrar that nobody calls. They see the door and impls/platform.
function(scopecheck_add_impls)
  set(sources)
  foreach(folder IN ITEMS designs canaries incidents platform)
    file(GLOB found CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/impls/${folder}/*.cpp")
    list(APPEND sources ${found})
  endforeach()
  if(NOT sources OR NOT TARGET scopecheck_abi)
    return()
  endif()
  add_library(scopecheck_impls OBJECT ${sources})
  add_library(scopecheck::impls ALIAS scopecheck_impls)
  scopecheck_expose_headers(impls impls/platform)
  scopecheck_use_headers(scopecheck_impls PUBLIC impls)
  target_link_libraries(scopecheck_impls PUBLIC scopecheck::abi)
endfunction()

# scopecheck: the program, from harness/cli/main.cpp. The asan preset builds the same program; there it is the
# runner in which a finding is confirmed.
function(scopecheck_add_program)
  file(GLOB main CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/harness/cli/main.cpp")
  if(NOT main)
    return()
  endif()
  add_executable(scopecheck ${main})
  target_link_libraries(scopecheck PRIVATE scopecheck::cli $<TARGET_NAME_IF_EXISTS:scopecheck_impls>)
  install(TARGETS scopecheck)
  install(FILES "${CMAKE_SOURCE_DIR}/harness/abi/plugin.h" DESTINATION include/scopecheck OPTIONAL)
endfunction()
