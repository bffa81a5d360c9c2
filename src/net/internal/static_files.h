// StaticFiles: answers GET and HEAD for the files below one folder.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/http_server.h"

namespace muir::net {

// The latest texts of files, read once for all who ask; told apart by their ETag. Thread-safe.
class FileCache;

// Thread-safe.
class StaticFiles {
 public:
  // So much of the files is kept in memory, of those that were asked for last.
  static constexpr size_t kCacheBytesMax = 32 * 1024 * 1024;

  StaticFiles(std::string prefix, std::string directory);

  [[nodiscard]] const std::string& prefix() const { return prefix_; }
  // True when `path` (decoded) lies under the prefix.
  [[nodiscard]] bool covers(std::string_view path) const;
  // 200 or 304; 404 for anything that is no regular file inside the folder; 405 for other methods of a file that
  // is there. Where `<file>.gz`
  // lies beside a file and is not older, clients that take gzip get that.
  [[nodiscard]] HttpResponse answer(const HttpRequest& request) const;

 private:
  // Where it lies, if inside of the folder; else nothing.
  [[nodiscard]] std::string find(std::string_view url_path) const;

  std::string prefix_;                // ends with '/'
  std::string directory_;             // canonical
  std::shared_ptr<FileCache> cache_;  // shared by copies
};

}  // namespace muir::net
