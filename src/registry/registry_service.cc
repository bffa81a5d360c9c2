#include "registry/registry_service.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "registry/registry_error.h"
#include "registry/subject_name.h"
#include "schema/avro_parse.h"
#include "schema/avro_text.h"

namespace muir::registry {
namespace {

// Each attempt lost means that another registry wrote in the moment between.
constexpr int kRegisterAttemptsMax = 20;

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return out;
}

Status invalid_schema(std::string_view why) {
  return registry_error(ErrorCode::invalid_schema, "Invalid schema: {}", why);
}

// The types that a text refers to without defining them.
std::set<std::string> names_of(const std::vector<schema::avro::SchemaPtr>& schemas) {
  std::set<std::string> names;
  for (const auto& schema : schemas) schema::avro::add_names(*schema, names);
  return names;
}

}  // namespace

Result<VersionSpec> VersionSpec::parse(std::string_view text) {
  if (text == "-1" || upper(text) == "LATEST") return VersionSpec{};
  int number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc() || end != text.data() + text.size() || number < 1) {
    return registry_error(ErrorCode::invalid_version,
                          "The specified version '{}' is not a valid version id. Allowed values are between [1, "
                          "2^31-1] and the string \"latest\"",
                          text);
  }
  return VersionSpec{number};
}

Result<std::unique_ptr<RegistryService>> RegistryService::start(std::unique_ptr<SchemaLog> log, Options options) {
  std::unique_ptr<RegistryService> service(new RegistryService(std::move(log), options));
  MUIR_RETURN_IF_ERROR(service->log_->start([self = service.get()](BytesView key, OptBytesView value) {
    const std::lock_guard lock(self->mutex_);
    self->index_.apply(key, value);
  }));
  return service;
}

RegistryService::~RegistryService() { log_->stop(); }

// ---- schemas and their references

std::vector<Reference> RegistryService::pinned(std::vector<Reference> references) const {
  for (auto& reference : references) {
    if (reference.version != -1) continue;
    const auto* latest = index_.latest(reference.subject, false);
    if (latest != nullptr) reference.version = latest->version;
  }
  return references;
}

std::optional<SchemaVersion> RegistryService::referenced(const Reference& reference) {
  const std::lock_guard lock(mutex_);
  const auto* version = reference.version == -1 ? index_.latest(reference.subject, false)
                                                : index_.find(reference.subject, reference.version);
  return version == nullptr ? std::nullopt : std::optional(*version);
}

Result<RegistryService::Parsed> RegistryService::parse(const SchemaRequest& request) {
  if (request.schema_type != "AVRO") {
    return registry_error(ErrorCode::invalid_schema, "Invalid schema type {}; this registry holds AVRO schemas",
                          request.schema_type);
  }
  if (request.schema.empty()) return invalid_schema("Empty schema");
  Parsed out;
  {
    const std::lock_guard lock(mutex_);
    out.content.references = pinned(request.references);
  }
  out.known = MUIR_TRY(parsed_.resolve(out.content.references)).schemas;
  parsed_.count();
  auto judged = schema::avro::parse_and_judge(request.schema,
                                              {.check_defaults = options_.validate_new_schemas, .known = out.known});
  if (!judged.ok()) return invalid_schema(judged.status().message());
  out.schema = judged->schema;
  out.fault = judged->fault;
  out.content.schema = schema::avro::to_text(*out.schema, names_of(out.known));
  return out;
}

Status RegistryService::refresh(const SchemaRequest& request, Parsed& parsed) {
  if (request.references.empty()) return {};
  std::vector<Reference> references;
  {
    const std::lock_guard lock(mutex_);
    references = pinned(request.references);
  }
  if (references == parsed.content.references && MUIR_TRY(parsed_.resolve(references)).schemas == parsed.known)
    return {};
  parsed = MUIR_TRY(parse(request));
  return {};
}

// What other registries accepted must stay usable; what is new is held to the rules.
Status RegistryService::check_if_new(const Parsed& parsed) const {
  if (parsed.fault.ok() || !index_.ids_of(parsed.content).empty()) return {};
  return invalid_schema(parsed.fault.message());
}

namespace {

// One side may name what the other holds inline.
bool may_be_inlined(const SchemaVersion& version, const SchemaVersion& content, bool include_deleted) {
  return (include_deleted || !version.deleted) && version.references.empty() != content.references.empty();
}

}  // namespace

void RegistryService::parse_inlined(const std::string& subject, const Parsed& parsed, bool include_deleted) {
  std::vector<SchemaVersion> unknown;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [number, version] : index_.versions(subject)) {
      if (may_be_inlined(version, parsed.content, include_deleted) && !parsed_.find(version))
        unknown.push_back(version);
    }
  }
  for (const auto& version : unknown) (void)parsed_.parse(version);  // one that does not parse is another
}

const SchemaVersion* RegistryService::find_content(const std::string& subject, const Parsed& parsed,
                                                   bool include_deleted) {
  const auto& versions = index_.versions(subject);
  const auto& ids = index_.ids_of(parsed.content);
  const auto eligible = [&](const SchemaVersion& version) { return include_deleted || !version.deleted; };
  for (auto at = versions.rbegin(); !ids.empty() && at != versions.rend(); ++at) {
    if (ids.contains(at->second.id) && eligible(at->second)) return &at->second;
  }
  std::string inlined;
  for (auto at = versions.rbegin(); at != versions.rend(); ++at) {
    const SchemaVersion& version = at->second;
    if (!may_be_inlined(version, parsed.content, include_deleted)) continue;
    const auto stored = parsed_.find(version);
    if (!stored) continue;
    if (inlined.empty()) inlined = schema::avro::to_text(*parsed.schema);
    if (schema::avro::to_text(*stored) == inlined) return &version;
  }
  return nullptr;
}

// ---- registering

Result<int> RegistryService::register_schema(const std::string& subject, const SchemaRequest& request) {
  MUIR_RETURN_IF_ERROR(check_subject(subject));
  Parsed parsed = MUIR_TRY(parse(request));
  parse_inlined(subject, parsed, false);
  {
    const std::lock_guard lock(mutex_);
    if (const auto id = find_registered(subject, request, parsed)) return *id;
  }
  const std::lock_guard write_lock(write_mutex_);
  for (int attempt = 0; attempt < kRegisterAttemptsMax; ++attempt) {
    MUIR_RETURN_IF_ERROR(catch_up());
    MUIR_RETURN_IF_ERROR(refresh(request, parsed));
    parse_inlined(subject, parsed, false);
    {
      const std::lock_guard lock(mutex_);
      if (const auto id = find_registered(subject, request, parsed)) return *id;
    }
    if (const auto id = MUIR_TRY(add_version(subject, request, parsed))) return *id;
  }
  return registry_error(ErrorCode::store_failure, "register subject={}: other registries wrote first {} times", subject,
                        kRegisterAttemptsMax);
}

std::optional<int> RegistryService::find_registered(const std::string& subject, const SchemaRequest& request,
                                                    const Parsed& parsed) {
  const auto* found = find_content(subject, parsed, false);
  // A number asks for a new version, unless it is that of the same schema, which the id must say.
  if (found != nullptr && request.version.value_or(-1) != -1) {
    const auto* wanted = index_.find(subject, *request.version);
    const bool same = wanted != nullptr && !wanted->deleted && wanted->id == found->id;
    if (!same || !request.id) found = nullptr;
  } else if (found != nullptr && request.version && found != index_.latest(subject, false)) {
    found = nullptr;  // -1: only the newest counts
  }
  if (found == nullptr || (request.id && *request.id != found->id)) return std::nullopt;
  return found->id;
}

Status RegistryService::write(const RecordKey& key, OptBytesView value) {
  const Bytes usual = encode_key(key);
  std::vector<Bytes> others;
  if (!value) {
    const std::lock_guard lock(mutex_);
    const auto& spellings = index_.other_spellings(usual);
    others.assign(spellings.begin(), spellings.end());
  }
  Status status;
  const auto append = [&](BytesView bytes) {
    if (!status.ok()) return;
    status = log_->append(bytes, value);
    writes_.add();
    failed_writes_.add(status.ok() ? 0 : 1);
  };
  for (const auto& other : others) append(other);
  append(usual);
  return status;
}

Status RegistryService::catch_up() {
  MUIR_RETURN_IF_ERROR(log_->catch_up());
  std::vector<SchemaVersion> again;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [subject, number] : index_.overruled()) again.push_back(*index_.find(subject, number));
  }
  for (const auto& version : again) {
    MUIR_RETURN_IF_ERROR(write({.kind = RecordKind::schema, .subject = version.subject, .version = version.version},
                               encode_schema(version)));
  }
  return {};
}

// Writes a new version; nothing when another registry's record came first.
Result<std::optional<int>> RegistryService::add_version(const std::string& subject, const SchemaRequest& request,
                                                        const Parsed& parsed) {
  SchemaVersion version;
  std::vector<int> replaced;  // softly deleted versions of the same content
  Judges judges;
  {
    const std::lock_guard lock(mutex_);
    MUIR_RETURN_IF_ERROR(check_writable(subject));
    version = MUIR_TRY(place(subject, request, parsed));
    if (!takes_ids(mode_of(subject))) judges = judges_of(subject);
  }
  MUIR_RETURN_IF_ERROR(parse_judges(judges));
  const auto messages = check_compatibility(judges.level, *parsed.schema, judges.earlier);
  if (!messages.empty()) {
    return registry_error(
        ErrorCode::incompatible_schema,
        "Schema being registered is incompatible with an earlier schema for subject \"{}\", details: [{}]", subject,
        fmt::join(messages, ", "));
  }
  {
    const std::lock_guard lock(mutex_);
    // Another registry may have written meanwhile, and what it wrote was not looked at.
    MUIR_RETURN_IF_ERROR(check_writable(subject));
    const SchemaVersion placed = MUIR_TRY(place(subject, request, parsed));
    if (placed.version != version.version) return std::optional<int>();
    version.id = placed.id;
    for (const auto& [number, old] : index_.versions(subject)) {
      if (old.deleted && old.id == version.id && number != version.version &&
          index_.referrers(subject, number, true).empty())
        replaced.push_back(number);
    }
  }
  MUIR_RETURN_IF_ERROR(
      write({.kind = RecordKind::schema, .subject = subject, .version = version.version}, encode_schema(version)));
  {
    const std::lock_guard lock(mutex_);
    const auto* held = index_.find(subject, version.version);
    if (held == nullptr || held->id != version.id || held->schema != version.schema) return std::optional<int>();
    version = *held;
  }
  parsed_.keep(version, parsed.schema);  // the next one will be compared with it
  for (const int number : replaced)
    MUIR_RETURN_IF_ERROR(write({.kind = RecordKind::schema, .subject = subject, .version = number}, std::nullopt));
  return std::optional<int>(version.id);
}

// Gives the new version its id and number.
Result<SchemaVersion> RegistryService::place(const std::string& subject, const SchemaRequest& request,
                                             const Parsed& parsed) {
  const bool importing = takes_ids(mode_of(subject));
  if (request.id && !importing)
    return registry_error(ErrorCode::not_permitted, "Subject {} is not in import mode", subject);
  if (!request.id && importing)
    return registry_error(ErrorCode::not_permitted,
                          "Subject {} is not in read-write mode: in mode IMPORT a schema needs an id", subject);
  const auto* last = index_.latest(subject, true);
  if (last != nullptr && last->version == INT32_MAX && !(importing && request.version.value_or(-1) > 0)) {
    return registry_error(ErrorCode::invalid_version, "Subject {} has version {}: there is no number after it", subject,
                          last->version);
  }
  const int next_version = last == nullptr ? 1 : last->version + (last->version == INT32_MAX ? 0 : 1);
  SchemaVersion version = parsed.content;
  version.subject = subject;
  version.version = next_version;
  if (importing) {
    if (request.version && *request.version > 0) version.version = *request.version;
    version.id = *request.id;
    const auto* holder = index_.by_id(version.id);
    if (holder != nullptr && (holder->schema != version.schema || holder->references != version.references)) {
      return registry_error(ErrorCode::not_permitted, "Overwrite new schema with id {} is not permitted.", version.id);
    }
    return version;
  }
  if (request.version && *request.version > 0 && *request.version != next_version) {
    return invalid_schema(
        fmt::format("Version is not one more than previous version: {} instead of {}", *request.version, next_version));
  }
  MUIR_RETURN_IF_ERROR(check_if_new(parsed));
  const auto& ids = index_.ids_of(version);
  const auto id = ids.empty() ? index_.next_id() : *ids.begin();
  if (!id) return registry_error(ErrorCode::not_permitted, "No id is left for another schema");
  version.id = *id;
  return version;
}

void RegistryService::Judges::add(const SchemaVersion& version, const ParsedSchemas& parsed) {
  earlier.push_back({.version = version.version, .id = version.id, .schema_type = version.schema_type});
  if (version.schema_type != kAvro) return;
  earlier.back().schema = parsed.find(version);
  if (earlier.back().schema == nullptr) unparsed.emplace_back(earlier.size() - 1, version);
}

// The live versions that the level looks at, newest first.
RegistryService::Judges RegistryService::judges_of(const std::string& subject) {
  Judges out{.level = config_of(subject)};
  if (out.level == Compatibility::none) return out;
  const auto& versions = index_.versions(subject);
  for (auto at = versions.rbegin(); at != versions.rend(); ++at) {
    if (at->second.deleted) continue;
    out.add(at->second, parsed_);
    if (!is_transitive(out.level)) break;
  }
  return out;
}

Status RegistryService::parse_judges(Judges& judges) {
  for (const auto& [at, version] : judges.unparsed) judges.earlier[at].schema = MUIR_TRY(parsed_.parse(version));
  judges.unparsed.clear();
  return {};
}

Result<SchemaVersion> RegistryService::look_up(const std::string& subject, const SchemaRequest& request,
                                               bool include_deleted) {
  MUIR_RETURN_IF_ERROR(check_subject(subject));
  const auto check_known = [&]() -> Status {
    return index_.latest(subject, include_deleted) == nullptr ? subject_not_found(subject) : Status();
  };
  {
    const std::lock_guard lock(mutex_);
    MUIR_RETURN_IF_ERROR(check_known());
  }
  const Parsed parsed = MUIR_TRY(parse(request));
  parse_inlined(subject, parsed, include_deleted);
  const std::lock_guard lock(mutex_);
  MUIR_RETURN_IF_ERROR(check_known());
  const auto* found = find_content(subject, parsed, include_deleted);
  if (found == nullptr) return registry_error(ErrorCode::schema_not_found, "Schema not found");
  return *found;
}

Result<RegistryService::Judges> RegistryService::judges_of(const std::string& subject, VersionSpec spec) {
  Judges out{.level = config_of(subject)};
  if (!spec.number && !has_live(subject)) return out;
  const auto version = find_version(subject, spec, false);
  if (!version.ok())
    return registry_error(ErrorCode::version_not_found, "Version {} not found.", spec.number.value_or(-1));
  if (out.level != Compatibility::none) out.add(**version, parsed_);
  return out;
}

Result<std::vector<std::string>> RegistryService::test_compatibility(const std::string& subject,
                                                                     const SchemaRequest& request,
                                                                     std::optional<VersionSpec> spec) {
  MUIR_RETURN_IF_ERROR(check_subject(subject));
  Judges judges;
  {
    const std::lock_guard lock(mutex_);
    if (spec) {
      judges = MUIR_TRY(judges_of(subject, *spec));
    } else {
      judges = judges_of(subject);
    }
  }
  const Parsed parsed = MUIR_TRY(parse(request));
  MUIR_RETURN_IF_ERROR(parse_judges(judges));
  {
    const std::lock_guard lock(mutex_);
    MUIR_RETURN_IF_ERROR(check_if_new(parsed));
  }
  return check_compatibility(judges.level, *parsed.schema, judges.earlier);
}

// ---- reading

std::vector<std::string> RegistryService::subjects(std::string_view prefix, bool include_deleted, bool only_deleted) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [subject, versions] : index_.subjects()) {
    const bool live = has_live(subject);
    if (subject.starts_with(prefix) && (only_deleted ? !live : live || include_deleted)) out.push_back(subject);
  }
  return out;
}

Result<std::vector<int>> RegistryService::versions(const std::string& subject, bool include_deleted,
                                                   bool only_deleted) {
  const std::lock_guard lock(mutex_);
  std::vector<int> out;
  for (const auto& [number, version] : index_.versions(subject)) {
    if (only_deleted ? version.deleted : include_deleted || !version.deleted) out.push_back(number);
  }
  if (out.empty()) return subject_not_found(subject);
  return out;
}

Result<const SchemaVersion*> RegistryService::find_version(const std::string& subject, VersionSpec spec,
                                                           bool include_deleted) {
  if (index_.latest(subject, include_deleted) == nullptr) return subject_not_found(subject);
  if (!spec.number) {  // the newest that is not deleted, whatever is asked for
    const auto* latest = index_.latest(subject, false);
    if (latest == nullptr) return registry_error(ErrorCode::version_not_found, "Version latest not found.");
    return latest;
  }
  const auto* version = index_.find(subject, *spec.number);
  if (version == nullptr || (version->deleted && !include_deleted)) {
    return registry_error(ErrorCode::version_not_found, "Version {} not found.", *spec.number);
  }
  return version;
}

Result<SchemaVersion> RegistryService::version(const std::string& subject, VersionSpec spec, bool include_deleted) {
  const std::lock_guard lock(mutex_);
  return *MUIR_TRY(find_version(subject, spec, include_deleted));
}

Result<SchemaVersion> RegistryService::by_id(int id) {
  const std::lock_guard lock(mutex_);
  const auto* version = index_.by_id(id);
  if (version == nullptr) return registry_error(ErrorCode::schema_not_found, "Schema {} not found", id);
  return *version;
}

Result<std::string> RegistryService::self_contained_text(int id) {
  const SchemaVersion version = MUIR_TRY(by_id(id));
  if (version.references.empty()) return version.schema;
  return schema::avro::to_text(*MUIR_TRY(parsed_.parse(version)));
}

Result<std::vector<SchemaVersion>> RegistryService::versions_of_id(int id, bool include_deleted) {
  const std::lock_guard lock(mutex_);
  if (index_.by_id(id) == nullptr) return registry_error(ErrorCode::schema_not_found, "Schema {} not found", id);
  std::vector<SchemaVersion> out;
  for (const auto* version : index_.all_of_id(id)) {
    if (include_deleted || !version->deleted) out.push_back(*version);
  }
  return out;
}

Result<std::vector<int>> RegistryService::referenced_by(const std::string& subject, VersionSpec spec,
                                                        bool include_deleted) {
  const std::lock_guard lock(mutex_);
  const auto* version = MUIR_TRY(find_version(subject, spec, true));
  std::set<int> ids;
  for (const auto* referrer : index_.referrers(subject, version->version, include_deleted)) ids.insert(referrer->id);
  return std::vector<int>(ids.begin(), ids.end());
}

std::vector<SchemaVersion> RegistryService::schemas(SchemaCursor& cursor, size_t bytes_max) {
  const std::lock_guard lock(mutex_);
  std::vector<SchemaVersion> out;
  size_t bytes = 0;
  const auto& subjects = index_.subjects();
  auto at = subjects.lower_bound(cursor.after ? cursor.after->first : cursor.subject_prefix);
  for (; at != subjects.end() && at->first.starts_with(cursor.subject_prefix); ++at) {
    const auto& [subject, versions] = *at;
    const bool begun = cursor.after && cursor.after->first == subject;
    const auto* latest = index_.latest(subject, cursor.include_deleted);
    for (auto version = begun ? versions.upper_bound(cursor.after->second) : versions.begin();
         version != versions.end(); ++version) {
      const bool listed =
          cursor.only_latest ? &version->second == latest : cursor.include_deleted || !version->second.deleted;
      if (!listed) continue;
      cursor.after = {subject, version->first};
      if (cursor.skip > 0) {
        --cursor.skip;
        continue;
      }
      out.push_back(version->second);
      bytes += version->second.schema.size();
      if (bytes >= bytes_max) return out;
    }
  }
  return out;
}

int RegistryService::id_max() {
  const std::lock_guard lock(mutex_);
  return index_.id_max();
}

RegistryCounts RegistryService::counts() {
  RegistryCounts out{.writes = writes_.value(), .failed_writes = failed_writes_.value()};
  const std::lock_guard lock(mutex_);
  out.id_max = index_.id_max();
  for (const auto& [subject, versions] : index_.subjects()) {
    const auto deleted = static_cast<size_t>(
        std::count_if(versions.begin(), versions.end(), [](const auto& version) { return version.second.deleted; }));
    out.deleted_versions += deleted;
    out.versions += versions.size() - deleted;
    out.subjects += versions.size() > deleted ? 1 : 0;
  }
  return out;
}

int64_t RegistryService::parses() const { return parsed_.parses(); }

}  // namespace muir::registry
