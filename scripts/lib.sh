# Shared by the scripts beside it, sourced: what has to be installed, how a preset is configured and built, and how
# a long step reports. Everything here speaks on stderr; stdout belongs to the program.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build_dir=$root/build
log_dir=$build_dir/log

# Debian calls the symbolizer llvm-symbolizer-19; the sanitizers look for it without the number.
export ASAN_SYMBOLIZER_PATH=${ASAN_SYMBOLIZER_PATH:-/usr/lib/llvm-19/bin/llvm-symbolizer}
export TSAN_SYMBOLIZER_PATH=${TSAN_SYMBOLIZER_PATH:-/usr/lib/llvm-19/bin/llvm-symbolizer}

# package | why
program_packages=(
  'clang-19|the compiler'
  'libclang-rt-19-dev|the sanitizer runtimes'
  'libfuzzer-19-dev|the coverage-guided fuzzing engine'
  'llvm-19|the symbolizer, for readable sanitizer reports'
  'cmake|configures the build'
  'ninja-build|runs the build'
  'libfmt-dev|text formatting'
  'libcli11-dev|the command line'
  'nlohmann-json3-dev|JSON reports'
  'librapidcheck-dev|random generation and properties'
  'libgtest-dev|the tests'
  'libgmock-dev|the tests'
  'libbenchmark-dev|the benchmarks'
)
test_packages=(
  'g++-12|the second compiler'
  'python3|the second counter of scenarios'
  'clang-format-19|checks the layout of the sources'
  'clang-tidy-19|checks the sources'
  'afl++|the other coverage-guided engine, for its test'
)

say() { printf '%s\n' "$*" >&2; }
fail() {
  say "scopecheck: $*"
  exit 3
}

# install_packages ENTRY...: brings in what is missing. SCOPECHECK_NO_INSTALL=1 leaves the machine as it is.
install_packages() {
  [[ ${SCOPECHECK_NO_INSTALL:-} != 1 ]] || return 0
  local entry name why installed
  local -a missing=()
  installed=$(dpkg-query -W -f='${Package}=${db:Status-Status}\n' "${@%%|*}" 2>/dev/null || true)
  for entry in "$@"; do
    grep -qxF "${entry%%|*}=installed" <<<"$installed" || missing+=("$entry")
  done
  ((${#missing[@]} > 0)) || return 0

  local -a names=("${missing[@]%%|*}") as_root=()
  local by_hand="apt-get update && apt-get install --no-install-recommends ${names[*]}"
  local system reason=
  # shellcheck source=/dev/null
  system=$(. /etc/os-release 2>/dev/null && printf '%s %s' "${ID:-unknown}" "${VERSION_ID:-}") || system=unknown
  if ! command -v apt-get >/dev/null; then
    fail "packages are missing (${names[*]}), and there is no apt-get here to install them with:" \
      "this script knows only Debian 12. Where these tools and libraries are installed in another way, call it" \
      "again with SCOPECHECK_NO_INSTALL=1. On Debian 12 the command is: $by_hand"
  elif [[ $system != 'debian 12' ]]; then
    fail "packages are missing (${names[*]}), and this is not Debian 12 but $system, where their" \
      "names and versions are untested. Install them as root, with: $by_hand - or install their like in another" \
      "way and call this again with SCOPECHECK_NO_INSTALL=1."
  elif [[ $EUID -ne 0 ]]; then
    as_root=(sudo)
    [[ -t 2 && -e /dev/tty ]] || as_root+=(-n)
    if ! command -v sudo >/dev/null; then
      reason='you are not root and there is no sudo'
    elif ! "${as_root[@]}" true 2>/dev/null; then
      reason='you are not root and sudo refuses'
    fi
    if [[ -n $reason ]]; then
      fail "packages are missing (${names[*]}), and they cannot be installed from here, because" \
        "$reason. Let somebody who may run this as root, then call this again: $by_hand"
    fi
  fi

  say "Installing from Debian's archive:"
  for entry in "${missing[@]}"; do
    name=${entry%%|*} why=${entry#*|}
    printf '  %-20s %s\n' "$name" "$why" >&2
  done
  local -a apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=600)
  # Without a fresh list a cached archive may still do; the install below decides.
  logged apt-update "${apt[@]}" update || say "apt-get update failed; trying with the lists that are there"
  logged apt-install "${apt[@]}" install --no-install-recommends "${names[@]}" ||
    fail "the packages could not be installed; the log is above. By hand, as root: $by_hand"
}

# logged NAME COMMAND...: runs it quietly, its output in build/log/NAME.log; shows the log's end if it fails. On a
# terminal one line shows where it is.
logged() {
  local name=$1 log="$log_dir/$1.log" status=0
  shift
  mkdir -p "$log_dir"
  if [[ -t 2 ]]; then
    local columns line
    columns=$(tput cols 2>/dev/null || echo 80)
    "$@" </dev/null 2>&1 | tee "$log" | while IFS= read -r line; do
      printf '\r\033[K%s' "${name}: ${line:0:columns-${#name}-3}" >&2
    done || status=$?
    printf '\r\033[K' >&2
  else
    "$@" </dev/null >"$log" 2>&1 || status=$?
  fi
  if ((status != 0)); then
    say "--- $name failed (exit code $status); the end of ${log#"$root"/}:"
    # A compiler call is a screen long and tells less than the error after it.
    tail -n 120 "$log" | cut -c -400 >&2
    say "---"
  fi
  return "$status"
}

# locked COMMAND...: no two calls build over each other.
locked() {
  mkdir -p "$build_dir"
  (
    if ! flock -n 9; then
      say "another call is building; waiting for it"
      flock 9
    fi
    "$@"
  ) 9>"$build_dir/lock"
}

# build_preset PRESET [TARGET...]: configures and builds. A build directory that was made for another place of the
# tree is made anew.
build_preset() {
  local preset=$1 cache="$build_dir/$1/CMakeCache.txt"
  shift
  if [[ -f $cache ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then
    rm -rf "${build_dir:?}/$preset"
  fi
  local -a targets=()
  (($# == 0)) || targets=(--target "$@")
  cd "$root" || return
  logged "$preset-configure" cmake --preset "$preset" &&
    logged "$preset-build" cmake --build --preset "$preset" -j "$(nproc)" "${targets[@]}"
}

# What the program is made of, as one line: a file that is new, gone, moved or written changes it.
program_fingerprint() {
  (cd "$root" && find CMakeLists.txt CMakePresets.json cmake harness impls -type f -printf '%p %s %T@\n' |
    LC_ALL=C sort | cksum)
  printf '%s\n' "$root"
}

# ensure_program: build/release/bin/scopecheck and its twins in build/asan/bin and build/tsan/bin are there and current.
ensure_program() {
  program_is_current || locked make_program_current
}
program_is_current() {
  local preset
  for preset in release asan tsan; do [[ -x $build_dir/$preset/bin/scopecheck ]] || return; done
  [[ -f $build_dir/fingerprint && $(<"$build_dir/fingerprint") == "$(program_fingerprint)" ]]
}
make_program_current() {
  local before preset
  # Whoever held the lock may have done it.
  ! program_is_current || return 0
  install_packages "${program_packages[@]}"
  before=$(program_fingerprint)
  say "Building ScopeCheck (after the first time only what changed) ..."
  for preset in release asan tsan; do
    build_preset "$preset" scopecheck || fail "the build failed; the log is above."
  done
  # A file written during the build makes the next call build again.
  printf '%s\n' "$before" >"$build_dir/fingerprint"
}
