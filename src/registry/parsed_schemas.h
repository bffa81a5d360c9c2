// ParsedSchemas: what schemas of the log parse to. Each is parsed once, and by whoever needs it: no lock is held that a
// reader of the index waits for.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "registry/schema_index.h"
#include "schema/avro_schema.h"

namespace muir::registry {

inline constexpr const char* kAvro = "AVRO";

// Thread-safe.
class ParsedSchemas {
 public:
  // The version that a reference names, -1 being the newest; nothing: there is none. Called without a lock of this.
  using Find = std::function<std::optional<SchemaVersion>(const Reference&)>;
  explicit ParsedSchemas(Find find) : find_(std::move(find)) {}

  // What references name, and what that refers to.
  struct Resolved {
    std::vector<schema::avro::SchemaPtr> schemas{};
    int depth = 0;  // of references of references, and one
  };
  // ErrorCode::invalid_schema when there is no such version, when it does not parse, or beyond 300 levels.
  Result<Resolved> resolve(const std::vector<Reference>& references);
  // As leniently as another registry may have taken it. The error names subject, version and id: the schema at fault is
  // the stored one.
  Result<schema::avro::SchemaPtr> parse(const SchemaVersion& version);
  // One that has been parsed; null: not yet, or it does not parse.
  [[nodiscard]] schema::avro::SchemaPtr find(const SchemaVersion& version) const;
  // `version` has just been made of `schema`.
  void keep(const SchemaVersion& version, schema::avro::SchemaPtr schema);

  // Texts that have been parsed; count(): by somebody else.
  [[nodiscard]] int64_t parses() const { return parses_; }
  void count() { ++parses_; }

 private:
  // Shared by the map and by whoever looks at it without the lock. An import may give an id to another text.
  struct Entry {
    std::string text{};
    std::vector<Reference> references{};
    schema::avro::SchemaPtr schema{};
    int depth = 0;
    Status fault{};  // why there is no schema: that stays so
  };

  // These expect making_ to be held.
  // The references of a stored version, or with null of a schema that is not stored.
  Result<Resolved> resolve(const std::vector<Reference>& references, const SchemaVersion* of, int depth);
  Result<std::shared_ptr<const Entry>> make(const SchemaVersion& version, int depth);

  [[nodiscard]] std::shared_ptr<const Entry> known(const SchemaVersion& version) const;
  void keep(int id, std::shared_ptr<const Entry> entry);

  const Find find_;
  std::mutex making_;         // so that none is parsed twice; taken before all other locks
  mutable std::mutex mutex_;  // guards by_id_; the last lock to be taken
  std::map<int, std::shared_ptr<const Entry>> by_id_;
  std::atomic<int64_t> parses_{0};
};

}  // namespace muir::registry
