#include "harness/report/file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace scopecheck::report {
namespace {

/// The errno of the first failure, 0 when all was written and `sync`ed.
int write_all(int fd, std::string_view text, bool sync) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return sync && ::fsync(fd) != 0 ? errno : 0;
}

std::unexpected<std::string> failed(const std::string& path, int error) {
  return std::unexpected(fmt::format("cannot write {}: {}", path, std::strerror(error)));
}

/// 0666 without what the umask takes: what open() would have given a new file.
mode_t usual_mode() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666 & ~mask;
}

}  // namespace

std::expected<void, std::string> write_file(const std::string& path, std::string_view text) {
  struct stat status{};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  // A file behind /dev or /proc is somebody's open descriptor: renaming over it would cut that off.
  const bool descriptor = path.starts_with("/dev/") || path.starts_with("/proc/");
  if (descriptor || (exists && !S_ISREG(status.st_mode))) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0) return failed(path, errno);
    int error = write_all(fd, text, false);
    if (::close(fd) != 0 && error == 0) error = errno;
    if (error != 0) return failed(path, error);
    return {};
  }
  std::error_code no_link;
  const std::filesystem::path real = std::filesystem::canonical(path, no_link);
  const std::string target = no_link ? path : real.string();
  std::string temporary = target + ".XXXXXX";
  const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return failed(path, errno);
  int error = ::fchmod(fd, exists ? status.st_mode & 07777 : usual_mode()) != 0 ? errno : 0;
  if (error == 0) error = write_all(fd, text, true);
  if (::close(fd) != 0 && error == 0) error = errno;
  if (error == 0 && ::rename(temporary.c_str(), target.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    return failed(path, error);
  }
  // The new name is durable once its folder is; a file system that cannot sync folders is no error.
  const std::string folder = std::filesystem::path(target).parent_path().string();
  if (const int dir = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      dir >= 0) {
    ::fsync(dir);
    ::close(dir);
  }
  return {};
}

std::expected<void, std::string> may_write(const std::string& path) {
  if (path.empty()) return failed(path, ENOENT);
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return failed(path, EISDIR);
    if (::access(path.c_str(), W_OK) != 0) return failed(path, errno);
    if (!S_ISREG(status.st_mode)) return {};
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) != 0) return failed(path, errno);
  return {};
}

}  // namespace scopecheck::report
