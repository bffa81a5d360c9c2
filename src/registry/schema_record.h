// Records of the `_schemas` topic: docs/formats/schemas-topic.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "registry/compatibility.h"
#include "registry/mode.h"
#include "schema/json.h"

namespace muir::registry {

// A schema names another by subject and version, under the name its text uses for it.
struct Reference {
  std::string name{};
  std::string subject{};
  int version = 0;
  bool operator==(const Reference&) const = default;
};

// References of references: about as deep as a text may define records within each other.
inline constexpr int kReferenceDepthMax = 300;

// One version of a subject.
struct SchemaVersion {
  std::string subject{};
  int version = 0;
  int id = 0;
  std::string schema_type = "AVRO";
  std::vector<Reference> references{};
  std::string schema{};
  bool deleted = false;  // softly: still readable by id
  // Members that other registries write and this one only keeps (metadata, ruleSet, md5).
  std::vector<schema::JsonMember> other{};
};

// What is set for a subject, or for all.
struct ConfigRecord {
  std::optional<Compatibility> level{};
  std::vector<schema::JsonMember> members{};  // all, with what only other registries understand
};

enum class RecordKind : unsigned char { schema, config, mode, delete_subject, clear_subject, noop, other };

struct RecordKey {
  RecordKind kind = RecordKind::noop;
  std::optional<std::string> subject{};  // absent: the global setting
  int version = 0;                       // schema
  std::string keytype{};                 // as it is written
};

// Keys are compared as bytes by compaction: these are the bytes that the JVM registry writes. Others may stand for the
// same: it wrote "subject":null before 7.0, and some registries write the members in another order. Not for a kind that
// is `other`.
Bytes encode_key(const RecordKey& key);
Result<RecordKey> decode_key(BytesView bytes);

Bytes encode_schema(const SchemaVersion& version);
Result<SchemaVersion> decode_schema(BytesView bytes);
// `before`: the value that is replaced, whose other members are kept; nullptr: none.
Bytes encode_config(const std::optional<std::string>& subject, Compatibility level,
                    const std::vector<schema::JsonMember>* before);
Bytes encode_mode(const std::optional<std::string>& subject, Mode mode);
// As strict as the JVM registry, which skips a record that it cannot read: names are those that it writes, in capitals.
// (That it takes numbers for the names they have in its source is not followed.)
Result<ConfigRecord> decode_config(BytesView bytes);
Result<Mode> decode_mode(BytesView bytes);
Bytes encode_delete_subject(const std::string& subject, int version);
Bytes encode_clear_subject(const std::string& subject);

// [{"name":..., "subject":..., "version":...}]
Result<std::vector<Reference>> references_from(const schema::Json& json);
schema::Json to_json(const std::vector<Reference>& references);

// Decodes arbitrary bytes as a key and as a value.
int fuzz_schema_record(BytesView input);

}  // namespace muir::registry
