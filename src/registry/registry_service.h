// RegistryService: the Schema Registry's behaviour, without HTTP. Errors carry an ErrorCode (registry_error.h).
//
// All state comes from the SchemaLog: an operation that writes appends a record, waits until it has been read back, and
// only then answers, so that whoever asks next sees it. Thread-safe; writes wait for each other and for the log.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "registry/compatibility.h"
#include "registry/mode.h"
#include "registry/parsed_schemas.h"
#include "registry/schema_index.h"
#include "registry/schema_log.h"

namespace muir::registry {

// What a client says about a schema.
struct SchemaRequest {
  std::string schema{};
  std::string schema_type = "AVRO";
  std::vector<Reference> references{};
  std::optional<int> id{};       // only in mode IMPORT
  std::optional<int> version{};  // -1: only the newest one counts; else it must be the next one, or mode IMPORT
};

// A version number, or "latest".
struct VersionSpec {
  std::optional<int> number{};  // absent: the latest

  // "3", "latest" (any case) or "-1"; ErrorCode::invalid_version otherwise.
  static Result<VersionSpec> parse(std::string_view text);
};

struct RegistryServiceOptions {
  Compatibility default_compatibility = Compatibility::backward;
  // Whether defaults of new schemas must be values of their fields. A schema that the log holds already is not new,
  // under whatever subject, nor is one that is imported.
  bool validate_new_schemas = true;
};

// What it holds and has done, at one moment.
struct RegistryCounts {
  size_t subjects = 0;          // that have a version which is not deleted
  size_t versions = 0;          // not deleted
  size_t deleted_versions = 0;  // softly
  int id_max = 0;
  uint64_t writes = 0;  // of records to the log, since the start
  uint64_t failed_writes = 0;
};

// Which versions of which subjects are listed, by subject and version, and how far that has come. What is written
// meanwhile is in the list, or not; nothing is in it twice.
struct SchemaCursor {
  std::string subject_prefix{};
  bool include_deleted = false;
  bool only_latest = false;
  size_t skip = 0;                            // versions that are still to be left out
  std::optional<SchemaIndex::Place> after{};  // the last one that was given or left out
};

class RegistryService {
 public:
  using Options = RegistryServiceOptions;

  // `log` is started here and stopped at the end.
  static Result<std::unique_ptr<RegistryService>> start(std::unique_ptr<SchemaLog> log, Options options = {});
  ~RegistryService();

  // Registering: the id under which the schema is known; of content that the subject has already, without a write.
  Result<int> register_schema(const std::string& subject, const SchemaRequest& request);
  // The version under `subject` with that content.
  Result<SchemaVersion> look_up(const std::string& subject, const SchemaRequest& request, bool include_deleted);

  // Reading. Subjects in order; versions ascending.
  std::vector<std::string> subjects(std::string_view prefix, bool include_deleted, bool only_deleted);
  Result<std::vector<int>> versions(const std::string& subject, bool include_deleted, bool only_deleted);
  Result<SchemaVersion> version(const std::string& subject, VersionSpec spec, bool include_deleted);
  Result<SchemaVersion> by_id(int id);
  // The text of a schema that needs no other to be read: referenced types are defined in it.
  Result<std::string> self_contained_text(int id);
  Result<std::vector<SchemaVersion>> versions_of_id(int id, bool include_deleted);
  Result<std::vector<int>> referenced_by(const std::string& subject, VersionSpec spec, bool include_deleted);
  // The next versions of a list that may be long: about `bytes_max` of their texts, at least one; none at the end.
  std::vector<SchemaVersion> schemas(SchemaCursor& cursor, size_t bytes_max);
  int id_max();
  RegistryCounts counts();
  // How many texts have been parsed: what registering and looking up cost.
  [[nodiscard]] int64_t parses() const;

  // Deleting: softly first, for good after that.
  Result<std::vector<int>> delete_subject(const std::string& subject, bool permanent);
  Result<int> delete_version(const std::string& subject, VersionSpec spec, bool permanent);

  // Whether the schema could follow the given version (of an unknown subject, "latest" has no objection), or the
  // versions that the level looks at. Empty: it could.
  Result<std::vector<std::string>> test_compatibility(const std::string& subject, const SchemaRequest& request,
                                                      std::optional<VersionSpec> spec);

  // Settings; nullopt is the one for all subjects. Reading without `fall_back` fails when the subject has none of its
  // own.
  Result<Compatibility> config(const std::optional<std::string>& subject, bool fall_back);
  Status set_config(const std::optional<std::string>& subject, Compatibility level);
  Result<Compatibility> delete_config(const std::optional<std::string>& subject);  // the one that was
  Result<Mode> mode(const std::optional<std::string>& subject, bool fall_back);
  Status set_mode(const std::optional<std::string>& subject, Mode mode, bool force);
  Result<Mode> delete_mode(const std::optional<std::string>& subject);

 private:
  struct Parsed {
    schema::avro::SchemaPtr schema;
    std::vector<schema::avro::SchemaPtr> known;  // what its references name
    SchemaVersion content;                       // canonical text, references
    Status fault;                                // what the rules for new schemas say against it
  };

  // What a new schema of a subject is compared with.
  struct Judges {
    Compatibility level = Compatibility::none;
    std::vector<EarlierSchema> earlier{};
    // Places in `earlier` that still need their schema: it is parsed without the lock.
    std::vector<std::pair<size_t, SchemaVersion>> unparsed{};

    void add(const SchemaVersion& version, const ParsedSchemas& parsed);
  };

  RegistryService(std::unique_ptr<SchemaLog> log, Options options)
      : log_(std::move(log)),
        options_(options),
        parsed_([this](const Reference& reference) { return referenced(reference); }) {}

  // These take mutex_ for moments: whoever reads does not wait for somebody's large schema.
  Result<Parsed> parse(const SchemaRequest& request);  // as leniently as a stored one
  // Parses again if what its references name has changed.
  Status refresh(const SchemaRequest& request, Parsed& parsed);
  // The version that a reference names.
  std::optional<SchemaVersion> referenced(const Reference& reference);
  // What find_content() has to compare as a whole.
  void parse_inlined(const std::string& subject, const Parsed& parsed, bool include_deleted);
  Status parse_judges(Judges& judges);

  // These expect mutex_ to be held.
  [[nodiscard]] Status check_if_new(const Parsed& parsed) const;
  // Where "the newest" stands in for a version, its number.
  [[nodiscard]] std::vector<Reference> pinned(std::vector<Reference> references) const;
  // The id that a client gets without a write.
  std::optional<int> find_registered(const std::string& subject, const SchemaRequest& request, const Parsed& parsed);
  const SchemaVersion* find_content(const std::string& subject, const Parsed& parsed, bool include_deleted);
  Result<const SchemaVersion*> find_version(const std::string& subject, VersionSpec spec, bool include_deleted);
  Judges judges_of(const std::string& subject);                            // by its level
  Result<Judges> judges_of(const std::string& subject, VersionSpec spec);  // that version
  Result<SchemaVersion> place(const std::string& subject, const SchemaRequest& request, const Parsed& parsed);
  [[nodiscard]] bool is_overridden() const { return index_.mode(std::nullopt) == Mode::readonly_override; }
  [[nodiscard]] Mode mode_of(const std::optional<std::string>& subject) const;
  [[nodiscard]] Compatibility config_of(const std::optional<std::string>& subject) const;
  Status check_writable(const std::optional<std::string>& subject) const;
  [[nodiscard]] bool has_live(const std::string& subject) const { return index_.latest(subject, false) != nullptr; }

  // These expect write_mutex_ but not mutex_: the log applies before it returns.
  //
  // Before anything is decided: knows all that the log holds, and writes again what another registry's record
  // overrules.
  Status catch_up();
  Result<std::optional<int>> add_version(const std::string& subject, const SchemaRequest& request,
                                         const Parsed& parsed);
  Status write(const RecordKey& key, OptBytesView value);
  Status delete_settings(const std::string& subject);
  Status clear_deleted(const std::optional<std::string>& subject);

  std::unique_ptr<SchemaLog> log_;
  const Options options_;
  Counter writes_;
  Counter failed_writes_;
  std::mutex write_mutex_;  // taken before mutex_
  std::mutex mutex_;        // guards what follows
  SchemaIndex index_;
  ParsedSchemas parsed_;  // takes mutex_ itself, or is asked under it for what it has
};

}  // namespace muir::registry
