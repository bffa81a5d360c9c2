#include "net/internal/static_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <utility>

#include "net/internal/error_response.h"
#include "net/internal/http_request_head.h"

namespace muir::net {
namespace {

namespace fs = std::filesystem;

constexpr uintmax_t kFileBytesMax = 64 * 1024 * 1024;

std::string_view content_type(const fs::path& path) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 18> kTypes = {{
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".mjs", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".geojson", "application/geo+json"},
      {".map", "application/json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".jpg", "image/jpeg"},
      {".webp", "image/webp"},
      {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},
      {".txt", "text/plain; charset=utf-8"},
      {".md", "text/markdown; charset=utf-8"},
      {".csv", "text/csv; charset=utf-8"},
      {".wasm", "application/wasm"},
      {".gz", "application/gzip"},
  }};
  const std::string extension = path.extension().string();
  for (const auto& [suffix, type] : kTypes) {
    if (extension == suffix) return type;
  }
  return "application/octet-stream";
}

// No segment that leads out of the folder or hides a file.
bool safe(std::string_view relative) {
  if (relative.find('\0') != std::string_view::npos || relative.find('\\') != std::string_view::npos) return false;
  while (!relative.empty()) {
    const size_t end = std::min(relative.find('/'), relative.size());
    const std::string_view segment = relative.substr(0, end);
    if (segment.empty() || segment.starts_with('.')) return false;
    relative.remove_prefix(std::min(end + 1, relative.size()));
  }
  return true;
}

// Not through a symbolic link.
bool is_file(const fs::path& path, struct stat& info) {
  return ::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

// Nothing when it could not be read, or is not as long as it was.
std::shared_ptr<const std::string> read_file(const fs::path& path, uintmax_t size) {
  auto text = std::make_shared<std::string>(size, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(text->data(), static_cast<std::streamsize>(size));
  if (static_cast<uintmax_t>(std::max<std::streamsize>(file.gcount(), 0)) != size) return nullptr;
  return text;
}

}  // namespace

class FileCache {
 public:
  using Text = std::shared_ptr<const std::string>;

  Text find(const std::string& path, const std::string& etag) {
    const std::lock_guard lock(mutex_);
    const auto it = files_.find(path);
    if (it == files_.end() || it->second.etag != etag) return nullptr;
    it->second.used = ++clock_;
    return it->second.text;
  }

  void keep(const std::string& path, const std::string& etag, const Text& text) {
    if (text->size() > StaticFiles::kCacheBytesMax / 4) return;
    const std::lock_guard lock(mutex_);
    File& file = files_[path];
    bytes_ += text->size() - (file.text ? file.text->size() : 0);
    file = {etag, text, ++clock_};
    while (bytes_ > StaticFiles::kCacheBytesMax) {
      const auto oldest = std::min_element(files_.begin(), files_.end(),
                                           [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
      bytes_ -= oldest->second.text->size();
      files_.erase(oldest);
    }
  }

 private:
  struct File {
    std::string etag;
    Text text;  // shared with the answers that are on their way
    uint64_t used = 0;
  };
  std::mutex mutex_;
  std::map<std::string, File> files_;
  size_t bytes_ = 0;
  uint64_t clock_ = 0;
};

StaticFiles::StaticFiles(std::string prefix, std::string directory)
    : prefix_(std::move(prefix)), cache_(std::make_shared<FileCache>()) {
  if (!prefix_.ends_with('/')) prefix_ += '/';
  std::error_code ec;
  const fs::path canonical = fs::canonical(directory, ec);
  directory_ = ec ? std::move(directory) : canonical.string();
}

bool StaticFiles::covers(std::string_view path) const {
  return path.starts_with(prefix_) || path == std::string_view(prefix_).substr(0, prefix_.size() - 1);
}

std::string StaticFiles::find(std::string_view url_path) const {
  std::string relative(url_path.size() < prefix_.size() ? "" : url_path.substr(prefix_.size()));
  if (relative.empty() || relative.ends_with('/')) relative += "index.html";
  if (!safe(relative)) return {};
  // A symbolic link must not lead out either.
  std::error_code ec;
  const fs::path path = fs::canonical(fs::path(directory_) / relative, ec);
  return ec || !path.string().starts_with(directory_ + "/") ? std::string() : path.string();
}

HttpResponse StaticFiles::answer(const HttpRequest& request) const {
  fs::path path = find(request.path);
  struct stat info {};
  if (path.empty() || !is_file(path, info)) return error_response(404, "not found");
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse refused = error_response(405, "method not allowed");
    refused.headers.emplace_back("Allow", "GET, HEAD");
    return refused;
  }
  HttpResponse response{.content_type = std::string(content_type(path))};
  if (struct stat packed{}; is_file(path.string() + ".gz", packed) && packed.st_mtime >= info.st_mtime) {
    response.headers.emplace_back("Vary", "Accept-Encoding");
    if (takes_gzip(request.header("accept-encoding"))) {
      response.headers.emplace_back("Content-Encoding", "gzip");
      path += ".gz";
      info = packed;
    }
  }
  const auto size = static_cast<uintmax_t>(info.st_size);
  if (size > kFileBytesMax) return error_response(500, "file too large to serve");

  const std::string etag = fmt::format("\"{:x}-{:x}-{:x}\"", size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  response.headers.emplace_back("ETag", etag);
  response.headers.emplace_back("Cache-Control", "no-cache");
  const std::string_view known = request.header("if-none-match");
  if (known == "*" || known.find(etag) != std::string_view::npos) {
    response.status = 304;
    return response;
  }
  response.shared_body = cache_->find(path.string(), etag);
  if (response.shared_body) return response;
  response.shared_body = read_file(path, size);
  if (!response.shared_body) return error_response(503, "the file is being changed; try again");
  cache_->keep(path.string(), etag, response.shared_body);
  return response;
}

}  // namespace muir::net
