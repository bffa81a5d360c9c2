#include "registry/compatibility.h"

#include <algorithm>
#include <array>

#include "schema/avro_compatibility.h"
#include "schema/avro_text.h"

namespace muir::registry {
namespace {

using schema::avro::Incompatibility;
using schema::avro::IncompatibilityKind;

constexpr std::array<std::string_view, 7> kNames{
    "NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"};

std::string explain(const Incompatibility& finding, std::string_view reader, std::string_view writer) {
  switch (finding.kind) {
    case IncompatibilityKind::name_mismatch:
      return fmt::format("The name of the schema has changed (path '{}')", finding.path);
    case IncompatibilityKind::fixed_size_mismatch:
      return fmt::format("The size of FIXED type field at path '{}' in the {} schema does not match with the {} schema",
                         finding.path, reader, writer);
    case IncompatibilityKind::missing_enum_symbols:
      return fmt::format("The {} schema is missing enum symbols '{}' at path '{}' in the {} schema", reader,
                         finding.message, finding.path, writer);
    case IncompatibilityKind::reader_field_missing_default_value:
      return fmt::format(
          "The field '{}' at path '{}' in the {} schema has no default value and is missing in the {} schema",
          finding.message, finding.path, reader, writer);
    case IncompatibilityKind::type_mismatch:
      return fmt::format("The type (path '{}') of a field in the {} schema does not match with the {} schema",
                         finding.path, reader, writer);
    case IncompatibilityKind::missing_union_branch:
      return fmt::format("The {} schema is missing a type inside a union field at path '{}' in the {} schema", reader,
                         finding.path, writer);
  }
  return {};
}

void append_findings(std::vector<std::string>& out, const schema::avro::Schema& reader,
                     const schema::avro::Schema& writer, bool candidate_reads) {
  const std::string_view reader_name = candidate_reads ? "new" : "old";
  const std::string_view writer_name = candidate_reads ? "old" : "new";
  for (const auto& finding : schema::avro::check_readable(reader, writer)) {
    out.push_back(fmt::format("{{errorType:'{}', description:'{}', additionalInfo:'{}'}}",
                              schema::avro::to_string(finding.kind), explain(finding, reader_name, writer_name),
                              finding.message));
  }
}

bool checks_backward(Compatibility level) {
  return level == Compatibility::backward || level == Compatibility::backward_transitive ||
         level == Compatibility::full || level == Compatibility::full_transitive;
}
bool checks_forward(Compatibility level) {
  return level == Compatibility::forward || level == Compatibility::forward_transitive ||
         level == Compatibility::full || level == Compatibility::full_transitive;
}

}  // namespace

bool is_transitive(Compatibility level) {
  return level == Compatibility::backward_transitive || level == Compatibility::forward_transitive ||
         level == Compatibility::full_transitive;
}

std::string_view to_string(Compatibility level) { return kNames[static_cast<size_t>(level)]; }

std::optional<Compatibility> compatibility_from(std::string_view text) {
  const auto same = [&](std::string_view name) {
    return std::equal(name.begin(), name.end(), text.begin(), text.end(), [](char upper, char c) {
      return upper == c || (c >= 'a' && c <= 'z' && upper == c - 'a' + 'A');
    });
  };
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (same(kNames[i])) return static_cast<Compatibility>(i);
  }
  return std::nullopt;
}

std::vector<std::string> check_compatibility(Compatibility level, const schema::avro::Schema& candidate,
                                             const std::vector<EarlierSchema>& earlier) {
  std::vector<std::string> messages;
  for (const auto& [version, id, type, schema] : earlier) {
    if (level == Compatibility::none) break;
    if (schema == nullptr) {  // as the JVM registry has it
      messages.push_back(fmt::format("Incompatible because of different schema type: id {} is of type {}", id, type));
      messages.push_back(fmt::format("{{oldSchemaVersion: {}}}", version));
      return messages;
    }
    if (checks_backward(level)) append_findings(messages, candidate, *schema, true);
    if (checks_forward(level)) append_findings(messages, *schema, candidate, false);
    if (!messages.empty()) {
      messages.push_back(fmt::format("{{oldSchemaVersion: {}}}", version));
      messages.push_back(fmt::format("{{oldSchema: '{}'}}", schema::avro::to_text(*schema)));
      messages.push_back(fmt::format("{{validateFields: 'false', compatibility: '{}'}}", to_string(level)));
      return messages;
    }
    if (!is_transitive(level)) break;
  }
  return messages;
}

}  // namespace muir::registry
