// RegistryPort: what a serde needs of a schema registry, whichever side of a socket that is.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace muir {

struct RegisteredSchema {
  int id = 0;
  int version = 0;
  std::string subject{};
  std::string schema{};  // Avro schema as JSON text
};

// Thread-safe. Implementations cache: ids and texts never change once assigned, so a serde may ask per record.
class RegistryPort {
 public:
  virtual ~RegistryPort() = default;

  // The id of this schema under `subject`, registering it when it is new there. Fails with failed_precondition
  // and detail 409 when the subject's compatibility level forbids it, with invalid_argument when the text is no schema.
  virtual Result<int> register_schema(std::string_view subject, std::string_view schema_json) = 0;
  // The id of a schema that is registered under `subject`; not_found when it is not.
  virtual Result<int> find_schema(std::string_view subject, std::string_view schema_json) = 0;
  // The text of the schema with that id, with the schemas that it refers to inside; not_found when there is none.
  virtual Result<std::string> schema_by_id(int id) = 0;
  // The newest version under `subject`; not_found when there is none.
  virtual Result<RegisteredSchema> latest_schema(std::string_view subject) = 0;
};

// A registry in memory, for tests and the test driver: equal texts get equal ids, from 1 up; compatibility is not
// checked. Thread-safe.
class MemoryRegistry final : public RegistryPort {
 public:
  Result<int> register_schema(std::string_view subject, std::string_view schema_json) override;
  Result<int> find_schema(std::string_view subject, std::string_view schema_json) override;
  Result<std::string> schema_by_id(int id) override;
  Result<RegisteredSchema> latest_schema(std::string_view subject) override;

 private:
  std::mutex mutex_;
  std::vector<std::string> texts_;                                 // of id i + 1
  std::map<std::string, std::vector<int>, std::less<>> versions_;  // subject -> ids, of version i + 1
};

}  // namespace muir
