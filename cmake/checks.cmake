# Tests, benchmarks and fuzz targets: everything that checks the rooms and is not one of them. These see all rooms.

# What every check links: all rooms, the implementations, and what Debian calls the test libraries.
function(scopecheck_link_everything TARGET)
  foreach(room IN ITEMS cli campaign report shrinker verdict interpreter abi ledger schedule generator scenario base impls)
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
  find_package(rapidcheck REQUIRED)
  include(GoogleTest)

  # Relative helpers only: a test includes "tests/support/x.hpp" as it includes "harness/base/x.hpp".
  file(GLOB folders CONFIGURE_DEPENDS LIST_DIRECTORIES true RELATIVE "${CMAKE_SOURCE_DIR}/tests"
       "${CMAKE_SOURCE_DIR}/tests/*")
  foreach(folder IN LISTS folders)
    file(GLOB tests CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${folder}/*_test.cpp")
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${folder}/*.cpp"
         "${CMAKE_SOURCE_DIR}/tests/${folder}/*.c")
    if(SCOPECHECK_SANITIZE MATCHES "thread")
      # They replace operator new, which TSan's runtime defines as well.
      list(FILTER tests EXCLUDE REGEX "allocation_test\\.cpp$")
      list(FILTER sources EXCLUDE REGEX "allocation_test\\.cpp$")
    endif()
    if(tests)
      add_executable(test_${folder} ${sources})
      scopecheck_expose_headers(tests tests)
      scopecheck_use_headers(test_${folder} PRIVATE tests)
      scopecheck_link_everything(test_${folder})
      target_link_libraries(test_${folder} PRIVATE rapidcheck GTest::gmock GTest::gtest_main)
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
        set_tests_properties(${folder}.${name} PROPERTIES LABELS ${folder} TIMEOUT 600 SKIP_RETURN_CODE 77)
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

# fuzz_<name> from fuzz_targets/<name>.cpp, and a test that runs it for a short while on corpus/seeds. A target
# called canary* must crash: its test passes only when the crash is reported.
function(scopecheck_add_fuzz_targets)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "SCOPECHECK_FUZZ needs clang: libFuzzer is a part of it. Use the preset fuzz.")
  endif()
  set(SCOPECHECK_FUZZ_SECONDS 20 CACHE STRING "How long ctest runs each fuzz target")
  set(seeds)
  file(GLOB seed_files CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/corpus/seeds/*")
  if(seed_files)
    set(seeds "${CMAKE_SOURCE_DIR}/corpus/seeds")
  endif()

  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/fuzz_targets/*.cpp")
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM name)
    set(target fuzz_${name})
    add_executable(${target} "${source}")
    scopecheck_link_everything(${target})
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)

    # libFuzzer writes what it finds into the first folder it is given; the seeds are only read.
    set(found "${CMAKE_BINARY_DIR}/corpus/${name}")
    file(MAKE_DIRECTORY "${found}")
    add_test(NAME fuzz.${name}
             COMMAND ${target} -max_total_time=${SCOPECHECK_FUZZ_SECONDS} -timeout=30 -print_final_stats=1
                     -artifact_prefix=${found}- "${found}" ${seeds}
             WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
    set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 600)
    if(name MATCHES "^canary")
      set_tests_properties(fuzz.${name} PROPERTIES PASS_REGULAR_EXPRESSION "SUMMARY: (AddressSanitizer|libFuzzer)")
    endif()
  endforeach()
endfunction()
