// RestRequest: one request of the Schema Registry protocol, and what its parts say.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "net/rest.h"
#include "registry/registry_service.h"
#include "schema/json.h"

namespace muir::registry {

// The parts are read as the JVM registry reads them: parameters by JAX-RS, bodies by Jackson. What cannot be read is an
// error whose detail is the error code. Borrows the call.
class RestRequest {
 public:
  explicit RestRequest(const net::RestCall& call) : call_(call) {}

  // Whether the query has "name=true", in any case; anything else is false.
  [[nodiscard]] bool flag(std::string_view name) const;
  // A parameter of the query; empty when it is absent.
  [[nodiscard]] std::string text(std::string_view name) const;
  // The prefix that subjects are asked for; ":*:" stands for every context, of which there is one.
  [[nodiscard]] std::string subject_prefix() const;

  // Placeholders.
  [[nodiscard]] const std::string& subject() const { return call_.param("subject"); }
  [[nodiscard]] std::optional<std::string> setting_of() const;  // a subject; nothing: all of them
  [[nodiscard]] bool names_version() const { return call_.find_param("version") != nullptr; }
  [[nodiscard]] Result<VersionSpec> version() const;
  [[nodiscard]] Result<int> id() const;

  // The body: an object; 422 when there is none, 400 when it is something else.
  [[nodiscard]] Result<schema::Json> object() const;
  // The body of a request about a schema.
  [[nodiscard]] Result<SchemaRequest> schema() const;

 private:
  const net::RestCall& call_;
};

// The part of a list that "offset" and "limit" ask for.
class Page {
 public:
  // 404 when they are no integers, which is what the JVM registry says; 422 for an offset below 0. A limit below 1 is
  // none.
  static Result<Page> of(const RestRequest& request);

  [[nodiscard]] size_t offset() const { return offset_; }
  [[nodiscard]] std::optional<size_t> limit() const { return limit_; }

  template <class T>
  [[nodiscard]] std::vector<T> part_of(std::vector<T> items) const {
    items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(std::min(offset_, items.size())));
    if (limit_ && *limit_ < items.size()) items.resize(*limit_);
    return items;
  }

 private:
  size_t offset_ = 0;
  std::optional<size_t> limit_{};
};

}  // namespace muir::registry
