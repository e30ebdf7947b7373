# Warnings and sanitizers, for every target of this project. Third-party headers come from system directories and
# are exempt.

add_compile_options(
  -Wall
  -Wextra
  -Wpedantic
  -Wshadow
  -Wconversion
  -Wsign-conversion
  -Wcast-align
  -Wformat=2
  -Wundef
  -Wimplicit-fallthrough
  # The door's tables say "no such operation" by leaving a member out.
  -Wno-missing-field-initializers
  $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast>
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>
  $<$<COMPILE_LANGUAGE:CXX>:-Woverloaded-virtual>
  $<$<COMPILE_LANGUAGE:CXX>:-Wextra-semi>
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++-12 raises these from its optimiser, with false alarms inside libstdc++ (-Wrestrict: gcc.gnu.org/PR105651),
  # and dangling pointers are what a ScopeCheck test makes on purpose; its -Wshadow takes an enumerator of a scoped
  # enum for a name of the namespace. clang's versions of them stay on.
  add_compile_options(-Wno-shadow -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds -Wno-dangling-else
                      $<$<COMPILE_LANGUAGE:CXX>:-Wno-dangling-pointer> $<$<COMPILE_LANGUAGE:CXX>:-Wno-use-after-free>)
endif()

# __FILE__ and std::source_location name files from the root of the tree, wherever it lies.
add_compile_options(-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=)

if(SCOPECHECK_SANITIZE)
  add_compile_options(-fsanitize=${SCOPECHECK_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SCOPECHECK_SANITIZE})
  if(SCOPECHECK_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
  if(SCOPECHECK_SANITIZE MATCHES "address")
    # Only makes going on possible; the first report still ends the process unless halt_on_error=0 is asked for.
    add_compile_options(-fsanitize-recover=address)
  endif()
endif()

# What takes the coverage away again from code that is not under test, and gives it back.
set(SCOPECHECK_NO_COVERAGE)
set(SCOPECHECK_COVERAGE)
if(SCOPECHECK_SANITIZE MATCHES "fuzzer-no-link")
  set(SCOPECHECK_NO_COVERAGE -fno-sanitize=fuzzer-no-link)
  set(SCOPECHECK_COVERAGE -fsanitize=fuzzer-no-link)
endif()
if(SCOPECHECK_FUZZ_ENGINE STREQUAL "afl")
  set(SCOPECHECK_NO_COVERAGE -fno-sanitize-coverage=trace-pc-guard)
  set(SCOPECHECK_COVERAGE -fsanitize-coverage=trace-pc-guard)
  # clang's own coverage, which AFL++'s runtime reads: afl-clang-fast of Debian 12 is clang 14, too old for this source.
  add_compile_options(-fsanitize-coverage=trace-pc-guard)
endif()
