// RouteTable: finds the handler of a method and path among patterns with {placeholders}. Immutable once serving.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace muir::net {

// Segments of a raw path are separated before they are decoded: "a%2Fb" is one segment.
template <class Handler>
class RouteTable {
 public:
  // `merge_slashes`: empty segments are passed over.
  explicit RouteTable(bool merge_slashes = false) : merge_slashes_(merge_slashes) {}

  struct Match {
    enum class Kind : unsigned char { none, wrong_method, found } kind = Kind::none;
    const Handler* handler = nullptr;
    std::vector<std::string> params;  // raw
    std::string allow;                // "GET, HEAD, POST" when the path is known
  };

  void add(std::string_view method, std::string_view pattern, Handler handler) {
    Node* node = &root_;
    for (const std::string_view segment : split(pattern)) {
      auto& next = segment.starts_with('{') && segment.ends_with('}') ? node->any : node->fixed[std::string(segment)];
      if (!next) next = std::make_unique<Node>();
      node = next.get();
    }
    node->handlers.insert_or_assign(std::string(method), std::move(handler));
  }

  // HEAD is answered by GET's handler unless it has its own.
  [[nodiscard]] Match find(std::string_view method, std::string_view raw_path) const {
    Match match;
    const Node* node = descend(root_, split(raw_path), 0, match.params);
    if (node == nullptr) return {};
    auto it = node->handlers.find(method);
    if (it == node->handlers.end() && method == "HEAD") it = node->handlers.find("GET");
    if (it != node->handlers.end()) {
      match.kind = Match::Kind::found;
      match.handler = &it->second;
      return match;
    }
    match.kind = Match::Kind::wrong_method;
    match.allow = list(node->handlers);
    return match;
  }

  // As Match::allow, of all paths together.
  [[nodiscard]] std::string allow_anywhere() const {
    std::map<std::string, const Handler*, std::less<>> all;
    collect(root_, all);
    return list(all);
  }

 private:
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> fixed;
    std::unique_ptr<Node> any;
    std::map<std::string, Handler, std::less<>> handlers;
  };

  template <class Methods>
  static std::string list(const Methods& methods) {
    std::string out;
    for (const auto& [name, handler] : methods) {
      if (!out.empty()) out += ", ";
      out += name;
      if (name == "GET" && !methods.contains("HEAD")) out += ", HEAD";
    }
    return out;
  }

  template <class Methods>
  static void collect(const Node& node, Methods& out) {
    for (const auto& [name, handler] : node.handlers) out.emplace(name, &handler);
    for (const auto& [segment, next] : node.fixed) collect(*next, out);
    if (node.any) collect(*node.any, out);
  }

  [[nodiscard]] std::vector<std::string_view> split(std::string_view path) const {
    std::vector<std::string_view> out;
    if (path.starts_with('/')) path.remove_prefix(1);
    while (!path.empty()) {
      const size_t end = std::min(path.find('/'), path.size());
      out.push_back(path.substr(0, end));
      if (end == path.size()) break;
      path.remove_prefix(end + 1);
      if (path.empty()) out.emplace_back();  // a trailing slash is a segment of its own
    }
    if (merge_slashes_) std::erase(out, std::string_view());
    return out;
  }

  // A fixed segment wins; when it leads nowhere, the placeholder is tried.
  static const Node* descend(const Node& node, const std::vector<std::string_view>& segments, size_t depth,
                             std::vector<std::string>& params) {
    if (depth == segments.size()) return node.handlers.empty() ? nullptr : &node;
    if (const auto it = node.fixed.find(segments[depth]); it != node.fixed.end()) {
      if (const Node* found = descend(*it->second, segments, depth + 1, params)) return found;
    }
    if (!node.any || segments[depth].empty()) return nullptr;
    params.emplace_back(segments[depth]);
    const Node* found = descend(*node.any, segments, depth + 1, params);
    if (found == nullptr) params.pop_back();
    return found;
  }

  const bool merge_slashes_;
  Node root_;
};

// Fuzz entry: the first line of `input` is a path looked up in a fixed table. Returns 1 when it was found.
int fuzz_router(BytesView input);

}  // namespace muir::net
