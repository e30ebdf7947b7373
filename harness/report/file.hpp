// Files that are either whole or not there.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace scopecheck::report {

/// Writes `text` to `path`: into a temporary file beside it, synced, then renamed over it. What is not a
/// regular file (a pipe, /dev/stdout) is written to directly. A symbolic link keeps pointing to its file.
/// Errors: a sentence with the path and the system's reason; the old file is untouched then.
[[nodiscard]] std::expected<void, std::string> write_file(const std::string& path, std::string_view text);

/// Whether write_file(path) has a chance: asked before long work whose result goes there. Changes nothing.
/// Errors: as write_file's.
[[nodiscard]] std::expected<void, std::string> may_write(const std::string& path);

}  // namespace scopecheck::report
