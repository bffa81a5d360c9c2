// StoreSupplier: all that there is to know about a kind of state store. It opens stores of its kind, says how their
// changelogs are kept, and finds mistakes in its settings. The stores themselves restore, log, answer and sync.
//
// A new kind is a StateStore with an interface of its own and a supplier that makes it; nothing else knows of it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "store/record_cache.h"
#include "store/state_store.h"

namespace muir::store {

// What the application has settled about changelogs.
struct ChangelogSettings {
  // Added to the retention of stores that forget, because clocks differ
  // (windowstore.changelog.additional.retention.ms).
  int64_t additional_retention_ms = 24 * 3600 * 1000;
};

// Immutable; shared by the topology and every thread that runs it.
class StoreSupplier {
 public:
  virtual ~StoreSupplier() = default;
  [[nodiscard]] virtual const std::string& name() const = 0;
  // Whether stores of this kind have the interface; see StateStore::as().
  [[nodiscard]] virtual bool provides(const StoreFacet& facet) const = 0;
  // A mistake in the settings; told when the topology is built.
  [[nodiscard]] virtual Status check() const { return {}; }
  // Of the changelog topic, over cleanup.policy=compact.
  [[nodiscard]] virtual std::map<std::string, std::string> changelog_configs(const ChangelogSettings& settings) const {
    (void)settings;
    return {};
  }
  // A store that is not open yet.
  [[nodiscard]] virtual std::unique_ptr<StateStore> make() const = 0;
  // The same with a record cache above it, where the kind can have one.
  [[nodiscard]] virtual std::unique_ptr<StateStore> make_cached(const RecordCache& cache) const {
    (void)cache;
    return make();
  }
};

}  // namespace muir::store
