// ServiceRegistryPort: the serdes' port onto a RegistryService of the same process.
#pragma once

#include <string>

#include "registry/registry_service.h"
#include "serde/registry_port.h"

namespace muir::registry {

// Thread-safe. `service` is borrowed.
class ServiceRegistryPort final : public RegistryPort {
 public:
  explicit ServiceRegistryPort(RegistryService& service) : service_(service) {}
  Result<int> register_schema(std::string_view subject, std::string_view schema_json) override;
  Result<int> find_schema(std::string_view subject, std::string_view schema_json) override;
  Result<std::string> schema_by_id(int id) override;
  Result<RegisteredSchema> latest_schema(std::string_view subject) override;

 private:
  RegistryService& service_;
};

}  // namespace muir::registry
