# Tests, benchmarks and fuzz targets: everything that checks the rooms and is not one of them. These see all rooms.

# What every check links: all rooms, the implementations, and what Debian calls the test libraries.
function(scopecheck_link_everything TARGET)
  foreach(room IN ITEMS cli fuzz campaign report shrinker verdict interpreter abi ledger schedule generator scenario base impls)
    if(TARGET scopecheck_${room})
      target_link_libraries(${TARGET} PRIVATE scopecheck::${room})
    endif()
  endforeach()
endfunction()

# test_<folder> from tests/<folder>/*_test.{cpp,c} and the folder's other .cpp, for every folder of tests/; and one
# test per tests/<folder>/*_test.sh, called with the path of the scopecheck program. Tests run in the root of the
# repository, with a fixed RapidCheck seed; ctest -L <folder> selects a folder's.
function(scopecheck_add_tests)
  find_package(GTest REQUIRED)
  include(GoogleTest)

  # What tests share and what is no header. A program gets of it what it uses: what listens to a sanitizer changes it.
  file(GLOB support CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/support/*.cpp")
  add_library(scopecheck_test_support STATIC ${support})
  scopecheck_expose_headers(tests tests)
  scopecheck_use_headers(scopecheck_test_support PUBLIC tests)
  target_link_libraries(scopecheck_test_support PUBLIC scopecheck::interpreter)

  # Relative helpers only: a test includes "tests/support/x.hpp" as it includes "harness/base/x.hpp".
  file(GLOB folders CONFIGURE_DEPENDS LIST_DIRECTORIES true RELATIVE "${CMAKE_SOURCE_DIR}/tests"
       "${CMAKE_SOURCE_DIR}/tests/*")
  foreach(folder IN LISTS folders)
    file(GLOB tests CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${folder}/*_test.cpp")
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${folder}/*.cpp"
         "${CMAKE_SOURCE_DIR}/tests/${folder}/*.c")
    if(SCOPECHECK_SANITIZE MATCHES "thread")
      # It replaces operator new, which TSan's runtime defines as well.
      list(FILTER tests EXCLUDE REGEX "allocation_test\\.cpp$")
      list(FILTER sources EXCLUDE REGEX "allocation_test\\.cpp$")
    endif()
    if(tests)
      add_executable(test_${folder} ${sources})
      scopecheck_link_everything(test_${folder})
      target_link_libraries(test_${folder} PRIVATE scopecheck_test_support rapidcheck GTest::gmock GTest::gtest_main)
      gtest_discover_tests(
        test_${folder}
        DISCOVERY_MODE PRE_TEST
        DISCOVERY_TIMEOUT 60
        WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
        TEST_PREFIX "${folder}."
        PROPERTIES LABELS ${folder} TIMEOUT 600 ENVIRONMENT "RC_PARAMS=seed=1")
    endif()

    file(GLOB scripts CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${folder}/*_test.sh")
    foreach(script IN LISTS scripts)
      if(TARGET scopecheck)
        cmake_path(GET script STEM name)
        add_test(NAME ${folder}.${name} COMMAND bash "${script}" $<TARGET_FILE:scopecheck>
                 WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
        set_tests_properties(${folder}.${name} PROPERTIES LABELS ${folder} TIMEOUT 1500 SKIP_RETURN_CODE 77)
      endif()
    endforeach()
  endforeach()
endfunction()

# agree_with_rustc from tests/rustc/*.cpp: the program behind scripts/agree-with-rustc. The test beside it calls it.
function(scopecheck_add_agreement)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/rustc/*.cpp")
  add_executable(agree_with_rustc ${sources})
  scopecheck_expose_headers(tests tests)
  scopecheck_use_headers(agree_with_rustc PRIVATE tests)
  target_link_libraries(agree_with_rustc PRIVATE scopecheck::report scopecheck::shrinker CLI11::CLI11)
endfunction()

# scopecheck_bench from bench/*.cpp, and scopecheck_empty_fuzz_target: libFuzzer's own speed on a target that does
# nothing, the yardstick for our throughput. It is built with each preset's flags, so that like is compared to like.
function(scopecheck_add_benchmarks)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/bench/*.cpp")
  set(empty "${CMAKE_SOURCE_DIR}/bench/empty_fuzz_target.cpp")
  if("${empty}" IN_LIST sources)
    list(REMOVE_ITEM sources "${empty}")
    if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
      add_executable(scopecheck_empty_fuzz_target "${empty}")
      target_compile_options(scopecheck_empty_fuzz_target PRIVATE -fsanitize=fuzzer)
      target_link_options(scopecheck_empty_fuzz_target PRIVATE -fsanitize=fuzzer)
    endif()
  endif()
  if(sources)
    find_package(benchmark REQUIRED)
    add_executable(scopecheck_bench ${sources})
    scopecheck_link_everything(scopecheck_bench)
    target_link_libraries(scopecheck_bench PRIVATE benchmark::benchmark benchmark::benchmark_main)
  endif()
endfunction()

# Gives TARGET, which defines LLVMFuzzerTestOneInput, an engine: SCOPECHECK_FUZZ_ENGINE.
function(scopecheck_use_fuzz_engine TARGET)
  if(SCOPECHECK_FUZZ_ENGINE STREQUAL "libfuzzer")
    if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
      message(FATAL_ERROR "libFuzzer is a part of clang. Use the preset fuzz.")
    endif()
    target_link_options(${TARGET} PRIVATE -fsanitize=fuzzer)
  elseif(SCOPECHECK_FUZZ_ENGINE STREQUAL "afl")
    # AFL++'s own main for such targets, and its runtime; the coverage is clang's (see the preset afl). In Debian
    # the driver has no copy of the runtime, and afl-clang-fast is a compiler too old for this source.
    find_library(SCOPECHECK_AFL_DRIVER AFLDriver PATHS /usr/lib/afl REQUIRED)
    find_file(SCOPECHECK_AFL_RUNTIME afl-compiler-rt.o PATHS /usr/lib/afl REQUIRED)
    target_link_libraries(${TARGET} PRIVATE ${SCOPECHECK_AFL_DRIVER} ${SCOPECHECK_AFL_RUNTIME} ${CMAKE_DL_LIBS} rt)
  else()
    target_sources(${TARGET} PRIVATE "${SCOPECHECK_SOURCE_DIR}/harness/fuzz/replay_main.cpp")
  endif()
endfunction()

# scopecheck_add_fuzz_target(IMPLEMENTATION [source, object or library...]): the executable
# scopecheck_fuzz_<IMPLEMENTATION>, which fuzzes the implementation that the sources register under that name. For
# implementations outside of this tree, too: they see the door and the kit.
function(scopecheck_add_fuzz_target IMPLEMENTATION)
  set(target scopecheck_fuzz_${IMPLEMENTATION})
  add_executable(${target} "${SCOPECHECK_SOURCE_DIR}/fuzz_targets/scenario.cpp")
  foreach(part IN LISTS ARGN)
    if(TARGET "${part}")
      target_link_libraries(${target} PRIVATE ${part})
    else()
      target_sources(${target} PRIVATE "${part}")
    endif()
  endforeach()
  target_compile_definitions(${target} PRIVATE SCOPECHECK_FUZZ_IMPLEMENTATION="${IMPLEMENTATION}")
  target_link_libraries(${target} PRIVATE scopecheck::fuzz scopecheck::abi)
  scopecheck_use_fuzz_engine(${target})
  if(SCOPECHECK_FUZZ_ENGINE STREQUAL "replay")
    set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
endfunction()

# scopecheck_fuzz_<implementation> for every implementation of this tree that is one file of impls/designs,
# impls/canaries or impls/incidents; and fuzz_<name> from each other file of fuzz_targets/. With libFuzzer, a short
# test of each on corpus/seeds; one called canary* must crash.
function(scopecheck_add_fuzz_targets)
  set(SCOPECHECK_SOURCE_DIR "${CMAKE_SOURCE_DIR}" CACHE INTERNAL "for scopecheck_add_fuzz_target in other projects")
  set(SCOPECHECK_FUZZ_SECONDS 3 CACHE STRING "How long ctest runs each fuzz target")
  set(targets)

  foreach(folder IN ITEMS designs canaries incidents)
    file(GLOB sources CONFIGURE_DEPENDS RELATIVE "${CMAKE_SOURCE_DIR}/impls/${folder}"
         "${CMAKE_SOURCE_DIR}/impls/${folder}/*.cpp")
    foreach(source IN LISTS sources)
      cmake_path(GET source STEM name)
      # its object alone: an engine looks at all counters after every run, others' would only be looked at
      scopecheck_add_fuzz_target(
        ${name} "$<FILTER:$<TARGET_OBJECTS:scopecheck_impls>,INCLUDE,/${folder}/${name}\\.cpp>")
      if(folder STREQUAL "designs")
        list(APPEND targets scopecheck_fuzz_${name})
      endif()
    endforeach()
  endforeach()

  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/fuzz_targets/*.cpp")
  list(FILTER sources EXCLUDE REGEX "/scenario\\.cpp$")
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM name)
    add_executable(fuzz_${name} "${source}")
    scopecheck_expose_headers(fuzz_targets fuzz_targets)
    scopecheck_use_headers(fuzz_${name} PRIVATE fuzz_targets)
    scopecheck_link_everything(fuzz_${name})
    scopecheck_use_fuzz_engine(fuzz_${name})
    list(APPEND targets fuzz_${name})
  endforeach()

  if(SCOPECHECK_FUZZ_ENGINE STREQUAL "libfuzzer")
    # the yardstick of scripts/fuzz-figures, with the flags of the targets
    add_executable(scopecheck_empty_fuzz_target "${CMAKE_SOURCE_DIR}/bench/empty_fuzz_target.cpp")
    scopecheck_use_fuzz_engine(scopecheck_empty_fuzz_target)
  endif()

  foreach(target IN LISTS targets)
    # libFuzzer writes what it finds into the first folder it is given; the seeds are only read.
    set(found "${CMAKE_BINARY_DIR}/corpus/${target}")
    file(MAKE_DIRECTORY "${found}")
    if(SCOPECHECK_FUZZ_ENGINE STREQUAL "libfuzzer" AND target MATCHES "^fuzz_")
      add_test(NAME fuzz.${target}
               COMMAND ${target} -max_total_time=${SCOPECHECK_FUZZ_SECONDS} -seed=1 -timeout=30 -print_final_stats=1
                       -artifact_prefix=${found}- "${found}"
               WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
      set_tests_properties(fuzz.${target} PROPERTIES LABELS fuzz TIMEOUT 600)
      if(target MATCHES "canary")
        set_tests_properties(fuzz.${target} PROPERTIES PASS_REGULAR_EXPRESSION "scopecheck: canary_detach: [a-z-]+\\(")
      endif()
    endif()
  endforeach()
endfunction()
