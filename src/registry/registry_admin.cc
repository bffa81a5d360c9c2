// The part of RegistryService that deletes and configures.
#include "registry/registry_error.h"
#include "registry/registry_service.h"
#include "registry/subject_name.h"

namespace muir::registry {
namespace {

// Where registries with contexts keep what holds where nothing else is set.
const std::optional<std::string> kAllContexts(":.__GLOBAL:");

}  // namespace

// ---- deleting

Result<std::vector<int>> RegistryService::delete_subject(const std::string& subject, bool permanent) {
  const std::lock_guard write_lock(write_mutex_);
  MUIR_RETURN_IF_ERROR(catch_up());
  std::vector<int> numbers;
  {
    const std::lock_guard lock(mutex_);
    const auto& versions = index_.versions(subject);
    if (versions.empty()) return subject_not_found(subject);
    if (!permanent && !has_live(subject)) {
      return registry_error(ErrorCode::subject_soft_deleted,
                            "Subject '{}' was soft deleted.Set permanent=true to delete permanently", subject);
    }
    MUIR_RETURN_IF_ERROR(check_writable(subject));
    for (const auto& [number, version] : versions) {
      if (!permanent && version.deleted) continue;
      if (permanent && !version.deleted) {
        return registry_error(ErrorCode::subject_not_soft_deleted,
                              "Subject '{}' was not deleted first before being permanently deleted", subject);
      }
      for (const auto* referrer : index_.referrers(subject, number, permanent)) {
        if (referrer->subject == subject) continue;
        return registry_error(ErrorCode::reference_exists,
                              "One or more references exist to the schema {{subject={},version={}}}.", subject, number);
      }
      numbers.push_back(number);
    }
  }
  if (permanent) {
    for (const int number : numbers)
      MUIR_RETURN_IF_ERROR(write({.kind = RecordKind::schema, .subject = subject, .version = number}, std::nullopt));
  } else {
    MUIR_RETURN_IF_ERROR(write({.kind = RecordKind::delete_subject, .subject = subject},
                               encode_delete_subject(subject, numbers.back())));
  }
  MUIR_RETURN_IF_ERROR(delete_settings(subject));
  return numbers;
}

Result<int> RegistryService::delete_version(const std::string& subject, VersionSpec spec, bool permanent) {
  const std::lock_guard write_lock(write_mutex_);
  MUIR_RETURN_IF_ERROR(catch_up());
  SchemaVersion version;
  {
    const std::lock_guard lock(mutex_);
    version = *MUIR_TRY(find_version(subject, spec, true));
    if (!permanent && version.deleted) {
      return registry_error(ErrorCode::version_soft_deleted,
                            "Subject '{}' Version {} was soft deleted.Set permanent=true to delete permanently",
                            subject, version.version);
    }
    if (permanent && !version.deleted) {
      return registry_error(ErrorCode::version_not_soft_deleted,
                            "Subject '{}' Version {} was not deleted first before being permanently deleted", subject,
                            version.version);
    }
    MUIR_RETURN_IF_ERROR(check_writable(subject));
    if (!index_.referrers(subject, version.version, permanent).empty()) {
      return registry_error(ErrorCode::reference_exists,
                            "One or more references exist to the schema {{subject={},version={}}}.", subject,
                            version.version);
    }
  }
  version.deleted = true;
  const RecordKey key{.kind = RecordKind::schema, .subject = subject, .version = version.version};
  MUIR_RETURN_IF_ERROR(permanent ? write(key, std::nullopt) : write(key, encode_schema(version)));
  bool was_last = false;
  {
    const std::lock_guard lock(mutex_);
    was_last = !has_live(subject);
  }
  if (was_last) MUIR_RETURN_IF_ERROR(delete_settings(subject));
  return version.version;
}

Status RegistryService::delete_settings(const std::string& subject) {
  bool has_config = false;
  bool has_mode = false;
  {
    const std::lock_guard lock(mutex_);
    has_config = index_.config(subject) != nullptr;
    has_mode = index_.mode(subject).has_value();
  }
  if (has_mode) MUIR_RETURN_IF_ERROR(write({.kind = RecordKind::mode, .subject = subject}, std::nullopt));
  if (has_config) MUIR_RETURN_IF_ERROR(write({.kind = RecordKind::config, .subject = subject}, std::nullopt));
  return {};
}

// ---- settings

// The subject's own, that of all, that of all contexts, the server's. A setting that names no level (only an alias,
// say) means the server's, not the one above it: so it is in the JVM registry.
Compatibility RegistryService::config_of(const std::optional<std::string>& subject) const {
  const auto* config = index_.config(subject);
  if (config == nullptr && subject) config = index_.config(std::nullopt);
  if (config == nullptr) config = index_.config(kAllContexts);
  return config == nullptr ? options_.default_compatibility : config->level.value_or(options_.default_compatibility);
}

// READONLY_OVERRIDE for all subjects stands above what a subject says.
Mode RegistryService::mode_of(const std::optional<std::string>& subject) const {
  auto mode = index_.mode(is_overridden() ? std::nullopt : subject);
  if (!mode && subject) mode = index_.mode(std::nullopt);
  if (!mode) mode = index_.mode(kAllContexts);
  return mode.value_or(Mode::readwrite);
}

Status RegistryService::check_writable(const std::optional<std::string>& subject) const {
  if (!is_read_only(mode_of(subject))) return {};
  if (!subject) return registry_error(ErrorCode::not_permitted, "The registry is in read-only mode");
  return registry_error(ErrorCode::not_permitted, "Subject {} is in read-only mode", *subject);
}

Result<Compatibility> RegistryService::config(const std::optional<std::string>& subject, bool fall_back) {
  const std::lock_guard lock(mutex_);
  if (subject && !fall_back && index_.config(subject) == nullptr) {
    return registry_error(ErrorCode::no_subject_config,
                          "Subject '{}' does not have subject-level compatibility configured", *subject);
  }
  return config_of(subject);
}

Status RegistryService::set_config(const std::optional<std::string>& subject, Compatibility level) {
  if (subject) MUIR_RETURN_IF_ERROR(check_subject(*subject));
  const std::lock_guard write_lock(write_mutex_);
  MUIR_RETURN_IF_ERROR(catch_up());
  Bytes value;
  {
    const std::lock_guard lock(mutex_);
    MUIR_RETURN_IF_ERROR(check_writable(subject));
    const auto* before = index_.config(subject);
    value = encode_config(subject, level, before == nullptr ? nullptr : &before->members);
  }
  return write({.kind = RecordKind::config, .subject = subject}, value);
}

Result<Compatibility> RegistryService::delete_config(const std::optional<std::string>& subject) {
  const std::lock_guard write_lock(write_mutex_);
  MUIR_RETURN_IF_ERROR(catch_up());
  Compatibility old{};
  {
    const std::lock_guard lock(mutex_);
    if (subject && index_.config(subject) == nullptr) return subject_not_found(*subject);
    MUIR_RETURN_IF_ERROR(check_writable(subject));
    old = config_of(subject);
  }
  MUIR_RETURN_IF_ERROR(write({.kind = RecordKind::config, .subject = subject}, std::nullopt));
  return old;
}

Result<Mode> RegistryService::mode(const std::optional<std::string>& subject, bool fall_back) {
  const std::lock_guard lock(mutex_);
  if (subject && !fall_back && !is_overridden() && !index_.mode(subject)) {
    return registry_error(ErrorCode::no_subject_mode, "Subject '{}' does not have subject-level mode configured",
                          *subject);
  }
  return mode_of(subject);
}

Status RegistryService::set_mode(const std::optional<std::string>& subject, Mode mode, bool force) {
  if (subject) MUIR_RETURN_IF_ERROR(check_subject(*subject));
  const std::lock_guard write_lock(write_mutex_);
  MUIR_RETURN_IF_ERROR(catch_up());
  bool clear = false;
  {
    const std::lock_guard lock(mutex_);
    if (mode == Mode::import && mode_of(subject) != Mode::import && !force) {
      bool any_live = false;
      for (const auto& [name, versions] : index_.subjects())
        any_live = any_live || ((!subject || name == *subject) && has_live(name));
      if (any_live) return registry_error(ErrorCode::not_permitted, "Cannot import since found existing subjects");
      clear = true;
    }
  }
  // Importing gives out numbers and ids anew: what is softly deleted would stand in their way.
  if (clear) MUIR_RETURN_IF_ERROR(clear_deleted(subject));
  return write({.kind = RecordKind::mode, .subject = subject}, encode_mode(subject, mode));
}

Status RegistryService::clear_deleted(const std::optional<std::string>& subject) {
  std::vector<std::string> names;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, versions] : index_.subjects()) {
      if (!subject || name == *subject) names.push_back(name);
    }
  }
  for (const auto& name : names) {
    std::vector<int> numbers;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [number, version] : index_.versions(name)) {
        if (version.deleted) numbers.push_back(number);
      }
    }
    for (const int number : numbers)
      MUIR_RETURN_IF_ERROR(write({.kind = RecordKind::schema, .subject = name, .version = number}, std::nullopt));
    MUIR_RETURN_IF_ERROR(write({.kind = RecordKind::clear_subject, .subject = name}, encode_clear_subject(name)));
  }
  return {};
}

Result<Mode> RegistryService::delete_mode(const std::optional<std::string>& subject) {
  const std::lock_guard write_lock(write_mutex_);
  MUIR_RETURN_IF_ERROR(catch_up());
  Mode old{};
  {
    const std::lock_guard lock(mutex_);
    if (subject && !is_overridden() && !index_.mode(subject)) return subject_not_found(*subject);
    old = mode_of(subject);
  }
  MUIR_RETURN_IF_ERROR(write({.kind = RecordKind::mode, .subject = subject}, std::nullopt));
  return old;
}

}  // namespace muir::registry
