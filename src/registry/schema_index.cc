#include "registry/schema_index.h"

#include <algorithm>

#include "base/log.h"

namespace muir::registry {
namespace {

// Of those that are warned of: each once, but not without end.
constexpr size_t kUnknownKeytypesMax = 32;

// Equal exactly when the registry must give equal ids: the text, its references, and what else belongs to the schema.
std::string content_key(const SchemaVersion& version) {
  std::string key = version.schema;
  // As JSON, so that no name can be made to look like the end of another.
  if (!version.references.empty()) key += "\n" + to_json(version.references).to_string();
  for (const auto& [name, value] : version.other) {
    if (name == "metadata" || name == "ruleSet") key += "\n" + name + value.to_string();
  }
  return key;
}

// ":.other:subject" is of the context ".other", which has ids of its own; a subject without it is of the default one.
std::string_view context_of(std::string_view subject) {
  if (!subject.starts_with(":.")) return {};
  return subject.substr(1, subject.find(':', 1) - 1);
}

std::string whose(const std::optional<std::string>& subject) {
  return subject ? fmt::format("subject={}", *subject) : std::string("of all subjects");
}

}  // namespace

void SchemaIndex::apply(BytesView key_bytes, OptBytesView value) {
  const auto key = decode_key(key_bytes);
  if (!key.ok()) {
    log::warn("skipping a record of _schemas: {}", key.status().message());
    return;
  }
  note_spelling(*key, key_bytes, !value);
  switch (key->kind) {
    case RecordKind::schema: apply_schema(*key, value); break;
    case RecordKind::config: apply_setting(configs_, *key, value, decode_config); break;
    case RecordKind::mode: apply_setting(modes_, *key, value, decode_mode); break;
    case RecordKind::delete_subject: apply_delete_subject(*key, value); break;
    case RecordKind::clear_subject: {
      std::vector<int> gone;
      for (const auto& [number, version] : versions(*key->subject)) {
        if (version.deleted) gone.push_back(number);
      }
      for (const int number : gone) erase(*key->subject, number);
      break;
    }
    case RecordKind::noop: break;
    case RecordKind::other:
      if (unknown_keytypes_.size() < kUnknownKeytypesMax && unknown_keytypes_.insert(key->keytype).second)
        log::warn("skipping records of _schemas of keytype={}, which this registry does not know", key->keytype);
      break;
  }
}

void SchemaIndex::note_spelling(const RecordKey& key, BytesView bytes, bool deletes) {
  if (key.kind == RecordKind::other) return;
  const Bytes usual = encode_key(key);
  if (usual == bytes) return;
  if (!deletes) {
    spellings_[usual].emplace(bytes);
  } else if (const auto at = spellings_.find(usual); at != spellings_.end()) {
    at->second.erase(Bytes(bytes));
    if (at->second.empty()) spellings_.erase(at);
  }
}

const std::set<Bytes>& SchemaIndex::other_spellings(BytesView usual_key) const {
  static const std::set<Bytes> kNone;
  const auto at = spellings_.find(usual_key);
  return at == spellings_.end() ? kNone : at->second;
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
  const Place place(*key.subject, key.version);
  if (passed_over(*version)) {
    log::warn(
        "passing over a schema of _schemas subject={} version={} id={}: an earlier record has its id or its place",
        *key.subject, key.version, version->id);
    if (find(*key.subject, key.version) != nullptr) overruled_.insert(place);
    return;
  }
  erase(*key.subject, key.version);
  ids_[version->id].insert(place);
  if (context_of(*key.subject).empty()) contents_[content_key(*version)].insert(version->id);
  for (const auto& reference : version->references) referrers_[{reference.subject, reference.version}].insert(place);
  id_max_ = std::max(id_max_, version->id);
  given_ids_.add(version->id);
  subjects_[*key.subject].insert_or_assign(key.version, std::move(*version));
}

// An id stands for one text in its context. A version keeps its id, unless an import says otherwise.
bool SchemaIndex::passed_over(const SchemaVersion& version) const {
  const auto* of_id = by_id(version.id, context_of(version.subject));
  if (of_id != nullptr && of_id->schema != version.schema) return true;
  const auto* held = find(version.subject, version.version);
  if (held == nullptr || held->id == version.id) return false;
  const auto own = mode(version.subject);
  return !takes_ids((own ? own : mode(std::nullopt)).value_or(Mode::readwrite));
}

void SchemaIndex::erase(const std::string& subject, int version) {
  const auto at = subjects_.find(subject);
  if (at == subjects_.end()) return;
  const auto found = at->second.find(version);
  if (found == at->second.end()) return;
  const Place place(subject, version);
  const SchemaVersion& gone = found->second;
  overruled_.erase(place);
  for (const auto& reference : gone.references) {
    const auto referred = referrers_.find({reference.subject, reference.version});
    referred->second.erase(place);
    if (referred->second.empty()) referrers_.erase(referred);
  }
  auto& places = ids_[gone.id];
  places.erase(place);
  const std::string key = content_key(gone);
  const bool has_more = std::any_of(places.begin(), places.end(), [&](const Place& other) {
    return context_of(other.first).empty() && content_key(*find(other.first, other.second)) == key;
  });
  if (const auto content = contents_.find(key); content != contents_.end() && !has_more) {
    content->second.erase(gone.id);
    if (content->second.empty()) contents_.erase(content);
  }
  if (places.empty()) ids_.erase(gone.id);
  at->second.erase(found);
  if (at->second.empty()) subjects_.erase(at);
}

// One that cannot be read is passed over, so that what was set before it stays; after compaction, what is set above it.
template <class T>
void SchemaIndex::apply_setting(Settings<T>& settings, const RecordKey& key, OptBytesView value,
                                Result<T> (*decode)(BytesView)) {
  if (!value || *value == "null") {
    settings.erase(key.subject);
    return;
  }
  auto setting = decode(*value);
  if (!setting.ok()) {
    log::warn("skipping a {} of _schemas {}: {}; what was set before it stays until it is set anew", key.keytype,
              whose(key.subject), setting.status().message());
    return;
  }
  settings.insert_or_assign(key.subject, *std::move(setting));
}

void SchemaIndex::apply_delete_subject(const RecordKey& key, OptBytesView value) {
  if (!value) return;
  const auto json = schema::Json::parse(*value);
  const schema::Json* member = json.ok() ? json->find("version") : nullptr;
  const auto until = member == nullptr ? std::nullopt : member->as_int64();
  const auto at = subjects_.find(*key.subject);
  if (!until) {
    log::warn("skipping a DELETE_SUBJECT of _schemas subject={}: it does not say up to which version", *key.subject);
    return;
  }
  if (at == subjects_.end()) return;
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

const SchemaVersion* SchemaIndex::by_id(int id, std::string_view context) const {
  const auto at = ids_.find(id);
  if (at == ids_.end()) return nullptr;
  for (const auto& [subject, version] : at->second) {
    if (context_of(subject) == context) return find(subject, version);
  }
  return nullptr;
}

const SchemaVersion* SchemaIndex::by_id(int id) const {
  const auto* version = by_id(id, {});
  if (version != nullptr) return version;
  const auto at = ids_.find(id);
  return at == ids_.end() ? nullptr : find(at->second.begin()->first, at->second.begin()->second);
}

std::vector<const SchemaVersion*> SchemaIndex::all_of_id(int id) const {
  std::vector<const SchemaVersion*> out;
  const auto* first = by_id(id);
  if (first == nullptr) return out;
  for (const auto& [subject, version] : ids_.at(id)) {
    if (context_of(subject) == context_of(first->subject)) out.push_back(find(subject, version));
  }
  return out;
}

const std::set<int>& SchemaIndex::ids_of(const SchemaVersion& content) const {
  static const std::set<int> kNone;
  const auto at = contents_.find(content_key(content));
  return at == contents_.end() ? kNone : at->second;
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

const ConfigRecord* SchemaIndex::config(const std::optional<std::string>& subject) const {
  const auto at = configs_.find(subject);
  return at == configs_.end() ? nullptr : &at->second;
}
std::optional<Mode> SchemaIndex::mode(const std::optional<std::string>& subject) const {
  const auto at = modes_.find(subject);
  return at == modes_.end() ? std::nullopt : std::optional(at->second);
}

}  // namespace muir::registry
