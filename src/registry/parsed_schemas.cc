#include "registry/parsed_schemas.h"

#include <algorithm>

#include "registry/registry_error.h"
#include "schema/avro_parse.h"

namespace muir::registry {
namespace {

Status invalid(std::string_view why) { return registry_error(ErrorCode::invalid_schema, "Invalid schema: {}", why); }

// Whoever sent a good schema must not look for the fault in it.
Status stored_one(const SchemaVersion& version, std::string_view why) {
  return invalid(fmt::format("the stored one of subject {}, version {}, id {}: {}", version.subject, version.version,
                             version.id, why));
}

}  // namespace

Result<ParsedSchemas::Resolved> ParsedSchemas::resolve(const std::vector<Reference>& references) {
  if (references.empty()) return Resolved{};
  const std::lock_guard lock(making_);
  return resolve(references, nullptr, 0);
}

Result<ParsedSchemas::Resolved> ParsedSchemas::resolve(const std::vector<Reference>& references,
                                                       const SchemaVersion* of, int depth) {
  const auto too_deep = [] {
    return invalid(fmt::format("references are nested more than {} deep, or in a circle", kReferenceDepthMax));
  };
  if (depth > kReferenceDepthMax) return too_deep();
  Resolved out;
  for (const auto& reference : references) {
    const auto version = find_(reference);
    if (!version) {
      const auto why = fmt::format("no schema reference found for subject \"{}\" and version {}", reference.subject,
                                   reference.version);
      return of == nullptr ? invalid(why) : stored_one(*of, why);
    }
    const auto parsed = MUIR_TRY(make(*version, depth + 1));
    out.schemas.push_back(parsed->schema);
    out.depth = std::max(out.depth, parsed->depth + 1);
  }
  if (out.depth > kReferenceDepthMax) return too_deep();  // what was parsed before counts as much
  return out;
}

Result<std::shared_ptr<const ParsedSchemas::Entry>> ParsedSchemas::make(const SchemaVersion& version, int depth) {
  if (auto entry = known(version)) {
    MUIR_RETURN_IF_ERROR(entry->fault);
    return entry;
  }
  if (version.schema_type != kAvro) return stored_one(version, "it is of type " + version.schema_type);
  auto resolved = resolve(version.references, &version, depth);
  if (!resolved.ok()) return resolved.status();
  ++parses_;
  auto parsed = schema::avro::parse(version.schema, {.strict = false, .known = std::move(resolved->schemas)});
  Entry made{.text = version.schema, .references = version.references, .depth = resolved->depth};
  if (parsed.ok()) {
    made.schema = *std::move(parsed);
  } else {
    made.fault = stored_one(version, parsed.status().message());
  }
  auto entry = std::make_shared<const Entry>(std::move(made));
  keep(version.id, entry);
  MUIR_RETURN_IF_ERROR(entry->fault);
  return entry;
}

Result<schema::avro::SchemaPtr> ParsedSchemas::parse(const SchemaVersion& version) {
  const std::lock_guard lock(making_);
  return MUIR_TRY(make(version, 0))->schema;
}

std::shared_ptr<const ParsedSchemas::Entry> ParsedSchemas::known(const SchemaVersion& version) const {
  const std::lock_guard lock(mutex_);
  const auto it = by_id_.find(version.id);
  if (it == by_id_.end() || it->second->text != version.schema || it->second->references != version.references)
    return nullptr;
  return it->second;
}

schema::avro::SchemaPtr ParsedSchemas::find(const SchemaVersion& version) const {
  const auto entry = known(version);
  return entry ? entry->schema : nullptr;
}

void ParsedSchemas::keep(int id, std::shared_ptr<const Entry> entry) {
  const std::lock_guard lock(mutex_);
  by_id_[id] = std::move(entry);
}

void ParsedSchemas::keep(const SchemaVersion& version, schema::avro::SchemaPtr schema) {
  const std::lock_guard lock(making_);
  const auto resolved = resolve(version.references, &version, 0);
  if (!resolved.ok()) return;
  keep(version.id, std::make_shared<const Entry>(Entry{.text = version.schema,
                                                       .references = version.references,
                                                       .schema = std::move(schema),
                                                       .depth = resolved->depth}));
}

}  // namespace muir::registry
