#include "registry/schema_index.h"

#include "base/log.h"

namespace muir::registry {
namespace {

// Equal exactly when the registry must give equal ids: the text, its references, and what else belongs to the schema.
std::string content_key(const SchemaVersion& version) {
  std::string key = version.schema;
  for (const auto& reference : version.references)
    key += fmt::format("\n{}\n{}\n{}", reference.name, reference.subject, reference.version);
  for (const auto& [name, value] : version.other) {
    if (name == "metadata" || name == "ruleSet") key += "\n" + name + value.to_string();
  }
  return key;
}

}  // namespace

void SchemaIndex::apply(BytesView key_bytes, OptBytesView value) {
  const auto key = decode_key(key_bytes);
  if (!key.ok()) {
    log::warn("skipping a record of _schemas: {}", key.status().message());
    return;
  }
  switch (key->kind) {
    case RecordKind::schema: apply_schema(*key, value); break;
    case RecordKind::config: apply_setting(configs_, *key, value, "compatibilityLevel"); break;
    case RecordKind::mode: apply_setting(modes_, *key, value, "mode"); break;
    case RecordKind::delete_subject: apply_delete_subject(*key, value); break;
    case RecordKind::clear_subject: {
      std::vector<int> gone;
      for (const auto& [number, version] : versions(*key->subject)) {
        if (version.deleted) gone.push_back(number);
      }
      for (const int number : gone) erase(*key->subject, number);
      break;
    }
    case RecordKind::noop:
    case RecordKind::other: break;
  }
}

void SchemaIndex::apply_schema(const RecordKey& key, OptBytesView value) {
  if (!value) return erase(*key.subject, key.version);
  auto version = decode_schema(*value);
  if (!version.ok()) {
    log::warn("skipping a schema of _schemas subject={} version={}: {}", *key.subject, key.version,
              version.status().message());
    return;
  }
  // The key names the place, should they differ.
  version->subject = *key.subject;
  version->version = key.version;
  if (const auto* previous = find(*key.subject, key.version); previous != nullptr && previous->id != version->id)
    erase(*key.subject, key.version);
  const Place place(*key.subject, key.version);
  ids_[version->id].insert(place);
  contents_.emplace(content_key(*version), version->id);
  for (const auto& reference : version->references) referrers_[{reference.subject, reference.version}].insert(place);
  id_max_ = std::max(id_max_, version->id);
  subjects_[*key.subject].insert_or_assign(key.version, std::move(*version));
}

void SchemaIndex::erase(const std::string& subject, int version) {
  const auto at = subjects_.find(subject);
  if (at == subjects_.end()) return;
  const auto found = at->second.find(version);
  if (found == at->second.end()) return;
  const Place place(subject, version);
  const SchemaVersion& gone = found->second;
  for (const auto& reference : gone.references) referrers_[{reference.subject, reference.version}].erase(place);
  auto& places = ids_[gone.id];
  places.erase(place);
  if (places.empty()) {
    ids_.erase(gone.id);
    contents_.erase(content_key(gone));
  }
  at->second.erase(found);
  if (at->second.empty()) subjects_.erase(at);
}

void SchemaIndex::apply_setting(Settings& settings, const RecordKey& key, OptBytesView value,
                                std::string_view member_name) {
  if (!value) {
    settings.erase(key.subject);
    return;
  }
  const auto json = schema::Json::parse(*value);
  const schema::Json* member = json.ok() ? json->find(member_name) : nullptr;
  if (member == nullptr || member->as_string() == nullptr) {
    log::warn("skipping a record of _schemas without {}", member_name);
    return;
  }
  settings[key.subject] = *member->as_string();
}

void SchemaIndex::apply_delete_subject(const RecordKey& key, OptBytesView value) {
  if (!value) return;
  const auto json = schema::Json::parse(*value);
  const schema::Json* member = json.ok() ? json->find("version") : nullptr;
  const auto until = member == nullptr ? std::nullopt : member->as_int64();
  const auto at = subjects_.find(*key.subject);
  if (!until || at == subjects_.end()) return;
  for (auto& [number, version] : at->second) {
    if (number <= *until) version.deleted = true;
  }
}

const SchemaIndex::Versions& SchemaIndex::versions(std::string_view subject) const {
  static const Versions kNone;
  const auto at = subjects_.find(subject);
  return at == subjects_.end() ? kNone : at->second;
}

const SchemaVersion* SchemaIndex::find(std::string_view subject, int version) const {
  const Versions& all = versions(subject);
  const auto at = all.find(version);
  return at == all.end() ? nullptr : &at->second;
}

const SchemaVersion* SchemaIndex::latest(std::string_view subject, bool include_deleted) const {
  const Versions& all = versions(subject);
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    if (include_deleted || !at->second.deleted) return &at->second;
  }
  return nullptr;
}

const SchemaVersion* SchemaIndex::by_id(int id) const {
  const auto at = ids_.find(id);
  return at == ids_.end() ? nullptr : find(at->second.begin()->first, at->second.begin()->second);
}

std::vector<const SchemaVersion*> SchemaIndex::all_of_id(int id) const {
  std::vector<const SchemaVersion*> out;
  if (const auto at = ids_.find(id); at != ids_.end()) {
    for (const auto& [subject, version] : at->second) out.push_back(find(subject, version));
  }
  return out;
}

std::optional<int> SchemaIndex::id_of(const SchemaVersion& content) const {
  const auto at = contents_.find(content_key(content));
  return at == contents_.end() ? std::nullopt : std::optional(at->second);
}

std::vector<const SchemaVersion*> SchemaIndex::referrers(std::string_view subject, int version,
                                                         bool include_deleted) const {
  std::vector<const SchemaVersion*> out;
  const auto at = referrers_.find({std::string(subject), version});
  if (at == referrers_.end()) return out;
  for (const auto& [other_subject, other_version] : at->second) {
    const auto* referrer = find(other_subject, other_version);
    if (referrer != nullptr && (include_deleted || !referrer->deleted)) out.push_back(referrer);
  }
  return out;
}

std::optional<std::string> SchemaIndex::config(const std::optional<std::string>& subject) const {
  const auto at = configs_.find(subject);
  return at == configs_.end() ? std::nullopt : std::optional(at->second);
}
std::optional<std::string> SchemaIndex::mode(const std::optional<std::string>& subject) const {
  const auto at = modes_.find(subject);
  return at == modes_.end() ? std::nullopt : std::optional(at->second);
}

}  // namespace muir::registry
