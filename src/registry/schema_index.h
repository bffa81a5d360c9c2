// SchemaIndex: what the `_schemas` topic says, record by record. Not thread-safe: RegistryService guards it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "registry/given_ids.h"
#include "registry/schema_record.h"

namespace muir::registry {

class SchemaIndex {
 public:
  using Versions = std::map<int, SchemaVersion>;
  using Place = std::pair<std::string, int>;  // subject, version

  // Applies one record, in the order of the log. What cannot be read is logged and skipped, as a registry must go on.
  //
  // Two registries that write at the same moment may give one id, or one version, to two schemas: the first record in
  // the log counts and the other is passed over, as in every registry that reads the log.
  void apply(BytesView key, OptBytesView value);

  [[nodiscard]] const std::map<std::string, Versions, std::less<>>& subjects() const { return subjects_; }
  // Empty when there is no such subject.
  [[nodiscard]] const Versions& versions(std::string_view subject) const;
  // nullptr when there is none.
  [[nodiscard]] const SchemaVersion* find(std::string_view subject, int version) const;
  // The newest version, softly deleted ones too if asked.
  [[nodiscard]] const SchemaVersion* latest(std::string_view subject, bool include_deleted) const;
  // Any version with that id, of the default context if it has one; nullptr when there is none.
  [[nodiscard]] const SchemaVersion* by_id(int id) const;
  // Every version with that id in the context of the one that by_id() gives, by subject and version.
  [[nodiscard]] std::vector<const SchemaVersion*> all_of_id(int id) const;
  // The ids of schemas of this content in the default context, under whatever subject: one, unless imports gave it
  // several.
  [[nodiscard]] const std::set<int>& ids_of(const SchemaVersion& content) const;
  // Versions whose schema refers to that one.
  [[nodiscard]] std::vector<const SchemaVersion*> referrers(std::string_view subject, int version,
                                                            bool include_deleted) const;
  // Keys of records in the log that stand for the same as encode_key(key), in other bytes. Who deletes what the key
  // names must delete them too, or it comes back when compaction has dropped the deletion.
  [[nodiscard]] const std::set<Bytes>& other_spellings(BytesView usual_key) const;
  [[nodiscard]] int id_max() const { return id_max_; }
  // For a schema that has none; nothing when none is left.
  [[nodiscard]] std::optional<int> next_id() const { return given_ids_.next(); }

  // Versions whose key has a newer record in the log that was passed over: compaction would keep that one and drop the
  // one that counts, which must therefore be written again.
  [[nodiscard]] const std::set<Place>& overruled() const { return overruled_; }

  // Settings of a subject, or of all with nullopt; nothing when it has none of its own.
  [[nodiscard]] const ConfigRecord* config(const std::optional<std::string>& subject) const;
  [[nodiscard]] std::optional<Mode> mode(const std::optional<std::string>& subject) const;

 private:
  template <class T>
  using Settings = std::map<std::optional<std::string>, T>;

  void note_spelling(const RecordKey& key, BytesView bytes, bool deletes);
  void apply_schema(const RecordKey& key, OptBytesView value);
  [[nodiscard]] const SchemaVersion* by_id(int id, std::string_view context) const;
  [[nodiscard]] bool passed_over(const SchemaVersion& version) const;
  template <class T>
  static void apply_setting(Settings<T>& settings, const RecordKey& key, OptBytesView value,
                            Result<T> (*decode)(BytesView));
  void apply_delete_subject(const RecordKey& key, OptBytesView value);
  void erase(const std::string& subject, int version);

  std::map<std::string, Versions, std::less<>> subjects_;
  std::map<int, std::set<Place>> ids_;
  std::map<std::string, std::set<int>, std::less<>> contents_;
  std::map<Place, std::set<Place>> referrers_;
  std::set<Place> overruled_;
  std::map<Bytes, std::set<Bytes>, std::less<>> spellings_;  // by the usual one
  Settings<ConfigRecord> configs_;
  Settings<Mode> modes_;
  std::set<std::string> unknown_keytypes_;
  int id_max_ = 0;
  GivenIds given_ids_;
};

}  // namespace muir::registry
