// Env over POSIX calls. Every call is repeated after EINTR; short writes are continued.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/file.h"

namespace muir {
namespace {

Status system_error(std::string_view what, const std::string& path) {
  const int number = errno;
  const Code code = number == ENOENT   ? Code::not_found
                    : number == EACCES ? Code::permission_denied
                    : number == ENOSPC ? Code::resource_exhausted
                                       : Code::io_error;
  return error(code, "{} {}: {}", what, path, std::strerror(number));
}

Status filesystem_error(std::string_view what, const std::string& path, const std::error_code& failure) {
  return error(failure == std::errc::no_such_file_or_directory ? Code::not_found : Code::io_error, "{} {}: {}", what,
               path, failure.message());
}

template <class Call>
auto retry(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

class PosixFile final : public File {
 public:
  PosixFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~PosixFile() override { ::close(fd_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  [[nodiscard]] int descriptor() const override { return fd_; }
  Result<size_t> read_at(uint64_t position, char* out, size_t size) const override {
    size_t done = 0;
    while (done < size) {
      const ssize_t got =
          retry([&] { return ::pread(fd_, out + done, size - done, static_cast<off_t>(position + done)); });
      if (got < 0) return system_error("read", path_);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  Status write_at(uint64_t position, std::span<const BytesView> parts) override {
    constexpr size_t kPartsMax = 64;
    while (!parts.empty()) {
      std::array<iovec, kPartsMax> vectors;
      const size_t count = std::min(parts.size(), kPartsMax);
      for (size_t i = 0; i < count; ++i) vectors[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
      MUIR_RETURN_IF_ERROR(write_vectors(position, std::span(vectors.data(), count)));
      for (size_t i = 0; i < count; ++i) position += parts[i].size();
      parts = parts.subspan(count);
    }
    return {};
  }

  Status sync() override {
    if (retry([&] { return ::fdatasync(fd_); }) < 0) return system_error("fdatasync", path_);
    return {};
  }

  Status truncate(uint64_t size) override {
    if (retry([&] { return ::ftruncate(fd_, static_cast<off_t>(size)); }) < 0) return system_error("truncate", path_);
    return {};
  }

  Result<uint64_t> size() const override {
    struct stat status {};
    if (::fstat(fd_, &status) < 0) return system_error("stat", path_);
    return static_cast<uint64_t>(status.st_size);
  }

 private:
  Status write_vectors(uint64_t position, std::span<iovec> vectors) {
    while (!vectors.empty()) {
      const ssize_t wrote = retry([&] {
        return ::pwritev(fd_, vectors.data(), static_cast<int>(vectors.size()), static_cast<off_t>(position));
      });
      if (wrote < 0) return system_error("write", path_);
      position += static_cast<uint64_t>(wrote);
      auto left = static_cast<size_t>(wrote);
      while (!vectors.empty() && left >= vectors.front().iov_len) {
        left -= vectors.front().iov_len;
        vectors = vectors.subspan(1);
      }
      if (left > 0) {
        vectors.front().iov_base = static_cast<char*>(vectors.front().iov_base) + left;
        vectors.front().iov_len -= left;
      }
    }
    return {};
  }

  int fd_;
  std::string path_;
};

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(int fd) : fd_(fd) {}
  ~PosixLock() override { ::close(fd_); }
  PosixLock(const PosixLock&) = delete;
  PosixLock& operator=(const PosixLock&) = delete;

 private:
  int fd_;
};

class PosixEnv final : public Env {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC;
    if (mode == OpenMode::read) flags |= O_RDONLY;
    if (mode == OpenMode::read_write) flags |= O_RDWR | O_CREAT;
    if (mode == OpenMode::truncate) flags |= O_RDWR | O_CREAT | O_TRUNC;
    const int fd = retry([&] { return ::open(path.c_str(), flags, 0644); });
    if (fd < 0) return system_error("open", path);
    return std::unique_ptr<File>(std::make_unique<PosixFile>(fd, path));
  }

  Result<std::vector<std::string>> list(const std::string& folder) override {
    std::error_code failure;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) {
      names.push_back(it->path().filename().string());
    }
    if (failure) return filesystem_error("list", folder, failure);
    std::sort(names.begin(), names.end());
    return names;
  }

  bool exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  Status make_folders(const std::string& path) override {
    std::error_code failure;
    std::filesystem::create_directories(path, failure);
    if (failure) return filesystem_error("make folder", path, failure);
    return {};
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) < 0) return system_error("rename", from);
    return {};
  }

  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) < 0 && errno != ENOENT) return system_error("remove", path);
    return {};
  }

  Status remove_all(const std::string& folder) override {
    std::error_code failure;
    std::filesystem::remove_all(folder, failure);
    if (failure) return filesystem_error("remove", folder, failure);
    return {};
  }

  Status sync_folder(const std::string& folder) override {
    const int fd = retry([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0) return system_error("open folder", folder);
    const int result = retry([&] { return ::fsync(fd); });
    const Status status = result < 0 ? system_error("fsync folder", folder) : Status();
    ::close(fd);
    return status;
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    const int fd = retry([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644); });
    if (fd < 0) return system_error("open", path);
    if (::flock(fd, LOCK_EX | LOCK_NB) < 0) {
      ::close(fd);
      return error(Code::already_exists, "lock {}: another process holds it", path);
    }
    return std::unique_ptr<FileLock>(std::make_unique<PosixLock>(fd));
  }
};

}  // namespace

Env& system_env() {
  static PosixEnv env;
  return env;
}

}  // namespace muir
