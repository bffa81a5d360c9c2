// StaticFiles: answers GET and HEAD for the files below one folder.
#pragma once

#include <string>
#include <string_view>

#include "net/http_server.h"

namespace muir::net {

// Immutable.
class StaticFiles {
 public:
  StaticFiles(std::string prefix, std::string directory);

  [[nodiscard]] const std::string& prefix() const { return prefix_; }
  // True when `path` (decoded) lies under the prefix.
  [[nodiscard]] bool covers(std::string_view path) const;
  // 200 or 304; 404 for anything that is no regular file inside the folder; 405 for other methods. Where `<file>.gz`
  // lies beside a file and is not older, clients that take gzip get that.
  [[nodiscard]] HttpResponse answer(const HttpRequest& request) const;

 private:
  std::string prefix_;     // ends with '/'
  std::string directory_;  // canonical
};

}  // namespace muir::net
