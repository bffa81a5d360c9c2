// Modes and levels of compatibility: what each allows, and what the log may say about them.
#include <algorithm>

#include <gtest/gtest.h>

#include "registry/rest_fixture.h"

namespace muir::registry {
namespace {

constexpr const char* kUnset = "";

std::string key_of(std::string_view keytype, std::string_view subject) {
  if (subject.empty()) return fmt::format(R"({{"keytype":"{}","magic":0}})", keytype);
  return fmt::format(R"({{"keytype":"{}","subject":"{}","magic":0}})", keytype, subject);
}

class Settings : public RestApi {
 protected:
  void write(std::string_view keytype, std::string_view subject, std::string_view value) {
    records_.all.emplace_back(key_of(keytype, subject),
                              value == "null" ? std::nullopt : std::optional<Bytes>(Bytes(value)));
  }
  // The lines that a start on the log warns with.
  std::vector<std::string> warnings_of_restart() {
    ::testing::internal::CaptureStderr();
    restart();
    const std::string all = ::testing::internal::GetCapturedStderr();
    std::vector<std::string> lines;
    for (size_t at = 0; at < all.size();) {
      const size_t end = std::min(all.find('\n', at), all.size());
      const std::string line = all.substr(at, end - at);
      if (line.find("_schemas") != std::string::npos) lines.push_back(line);
      at = end + 1;
    }
    return lines;
  }
};

// What Confluent's registry 7.9 answers: a mode of the subject stands above that of all, but for READONLY_OVERRIDE of
// all, which stands above everything.
TEST_F(Settings, ModesOfAllAndOfASubject) {
  struct Row {
    const char* of_all;
    const char* of_subject;
    const char* own;       // GET /mode/s
    const char* in_scope;  // GET /mode/s?defaultToGlobal=true
    // What may be written: a new schema; one with an id; a deletion, or a level of compatibility.
    bool new_schema;
    bool with_id;
    bool other;
  };
  for (const Row& row : std::initializer_list<Row>{
           {kUnset, kUnset, "40409", "READWRITE", true, false, true},
           {kUnset, "READWRITE", "READWRITE", "READWRITE", true, false, true},
           {kUnset, "READONLY", "READONLY", "READONLY", false, false, false},
           {kUnset, "READONLY_OVERRIDE", "READONLY_OVERRIDE", "READONLY_OVERRIDE", false, false, false},
           {kUnset, "IMPORT", "IMPORT", "IMPORT", false, true, true},
           {"READWRITE", kUnset, "40409", "READWRITE", true, false, true},
           {"READWRITE", "READWRITE", "READWRITE", "READWRITE", true, false, true},
           {"READWRITE", "READONLY", "READONLY", "READONLY", false, false, false},
           {"READWRITE", "READONLY_OVERRIDE", "READONLY_OVERRIDE", "READONLY_OVERRIDE", false, false, false},
           {"READWRITE", "IMPORT", "IMPORT", "IMPORT", false, true, true},
           {"READONLY", kUnset, "40409", "READONLY", false, false, false},
           {"READONLY", "READWRITE", "READWRITE", "READWRITE", true, false, true},
           {"READONLY", "READONLY", "READONLY", "READONLY", false, false, false},
           {"READONLY", "READONLY_OVERRIDE", "READONLY_OVERRIDE", "READONLY_OVERRIDE", false, false, false},
           {"READONLY", "IMPORT", "IMPORT", "IMPORT", false, true, true},
           {"READONLY_OVERRIDE", kUnset, "READONLY_OVERRIDE", "READONLY_OVERRIDE", false, false, false},
           {"READONLY_OVERRIDE", "READWRITE", "READONLY_OVERRIDE", "READONLY_OVERRIDE", false, false, false},
           {"READONLY_OVERRIDE", "READONLY", "READONLY_OVERRIDE", "READONLY_OVERRIDE", false, false, false},
           {"READONLY_OVERRIDE", "READONLY_OVERRIDE", "READONLY_OVERRIDE", "READONLY_OVERRIDE", false, false, false},
           {"READONLY_OVERRIDE", "IMPORT", "READONLY_OVERRIDE", "READONLY_OVERRIDE", false, false, false},
           {"IMPORT", kUnset, "40409", "IMPORT", false, true, true},
           {"IMPORT", "READWRITE", "READWRITE", "READWRITE", true, false, true},
           {"IMPORT", "READONLY", "READONLY", "READONLY", false, false, false},
           {"IMPORT", "READONLY_OVERRIDE", "READONLY_OVERRIDE", "READONLY_OVERRIDE", false, false, false},
           {"IMPORT", "IMPORT", "IMPORT", "IMPORT", false, true, true},
           // Of other registries only, and taken as import.
           {"FORWARD", kUnset, "40409", "FORWARD", false, true, true},
           {"FORWARD", "READWRITE", "READWRITE", "READWRITE", true, false, true},
           {"READONLY_OVERRIDE", "FORWARD", "READONLY_OVERRIDE", "READONLY_OVERRIDE", false, false, false},
       }) {
    const std::string name = fmt::format("all: {}, subject: {}", row.of_all, row.of_subject);
    records_ = {};
    restart();
    add("s", R"("int")");
    ask("PUT", "/config/s", R"({"compatibility":"NONE"})");
    if (*row.of_subject) write("MODE", "s", fmt::format(R"({{"subject":"s","mode":"{}"}})", row.of_subject));
    if (*row.of_all) write("MODE", "", fmt::format(R"({{"mode":"{}"}})", row.of_all));
    restart();
    const Records start = records_;
    // Whether it was written; what may not be is 42205 and writes nothing.
    const auto may = [&](std::string_view method, std::string_view target, std::string body = {}) {
      records_ = start;
      restart();
      const std::string answer = ask(method, target, std::move(body));
      const bool written = records_.all.size() > start.all.size();
      EXPECT_EQ(answer.substr(0, 3), written ? "200" : "422") << name << ": " << method << " " << target << answer;
      if (!written) {
        EXPECT_EQ(code_of(answer), 42205) << name << ": " << method << " " << target << answer;
      }
      return written;
    };
    const std::string own = ask("GET", "/mode/s");
    EXPECT_TRUE(own.find(row.own) != std::string::npos) << name << ": " << own;
    EXPECT_EQ(ask("GET", "/mode/s?defaultToGlobal=true"), fmt::format(R"(200 {{"mode":"{}"}})", row.in_scope)) << name;
    EXPECT_EQ(ask("GET", "/mode"), fmt::format(R"(200 {{"mode":"{}"}})", *row.of_all ? row.of_all : "READWRITE"));

    EXPECT_EQ(may("POST", "/subjects/s/versions", body_of(R"("string")")), row.new_schema) << name;
    EXPECT_EQ(may("POST", "/subjects/s/versions", R"({"schema":"\"bytes\"","id":9})"), row.with_id) << name;
    EXPECT_EQ(may("DELETE", "/subjects/s"), row.other) << name;
    EXPECT_EQ(may("DELETE", "/subjects/s/versions/1"), row.other) << name;
    EXPECT_EQ(may("PUT", "/config/s", R"({"compatibility":"FULL"})"), row.other) << name;
    EXPECT_EQ(may("DELETE", "/config/s"), row.other) << name;
    // What would write nothing new, or is the way out, is never refused.
    records_ = start;
    restart();
    EXPECT_EQ(add("s", R"("int")"), R"(200 {"id":1})") << name;
    EXPECT_EQ(ask("POST", "/subjects/s", body_of(R"("int")")).substr(0, 3), "200") << name;
    EXPECT_EQ(ask("POST", "/compatibility/subjects/s/versions", body_of(R"("string")")).substr(0, 3), "200") << name;
    EXPECT_EQ(records_.all.size(), start.all.size()) << name;
    EXPECT_EQ(ask("PUT", "/mode/s", R"({"mode":"READWRITE"})"), R"(200 {"mode":"READWRITE"})") << name;
    EXPECT_EQ(ask("PUT", "/mode", R"({"mode":"READWRITE"})"), R"(200 {"mode":"READWRITE"})") << name;
    EXPECT_EQ(add("s", R"("string")"), R"(200 {"id":2})") << name;
  }
}

TEST_F(Settings, WhatIsSetForAllContextsHoldsWhereNothingElseIs) {
  write("MODE", ":.__GLOBAL:", R"({"subject":":.__GLOBAL:","mode":"READONLY"})");
  write("CONFIG", ":.__GLOBAL:", R"({"subject":":.__GLOBAL:","compatibilityLevel":"FULL"})");
  EXPECT_TRUE(warnings_of_restart().empty());
  EXPECT_EQ(ask("GET", "/mode/s?defaultToGlobal=true"), R"(200 {"mode":"READONLY"})");
  EXPECT_EQ(ask("GET", "/config/s?defaultToGlobal=true"), R"(200 {"compatibilityLevel":"FULL"})");
  EXPECT_EQ(code_of(add("s", R"("int")")), 42205);
  ask("PUT", "/mode", R"({"mode":"READWRITE"})");
  ask("PUT", "/config", R"({"compatibility":"NONE"})");
  EXPECT_EQ(ask("GET", "/config/s?defaultToGlobal=true"), R"(200 {"compatibilityLevel":"NONE"})");
  EXPECT_EQ(add("s", R"("int")"), R"(200 {"id":1})");
}

TEST_F(Settings, ForwardIsNotSet) {
  for (const char* target : {"/mode", "/mode/s"})
    EXPECT_EQ(code_of(ask("PUT", target, R"({"mode":"FORWARD"})")), 42204) << target;
  EXPECT_TRUE(records_.all.empty());
}

// A record that the JVM registry cannot read is one that it skips, so that what was set before it stays. Read so by
// Jackson 2.21 with that registry's settings, but for numbers, which it takes for the place of a name.
TEST_F(Settings, OfTheLogThatCannotBeReadAreWarnedOfAndSkipped) {
  struct Row {
    const char* value;  // of compatibilityLevel, or of mode
    const char* level;  // nothing: warned of and skipped
    const char* mode;
  };
  for (const Row& row : std::initializer_list<Row>{
           {R"("FULL")", "FULL", kUnset},
           {R"("READONLY")", kUnset, "READONLY"},
           {R"(" FULL ")", "FULL", kUnset},
           {R"(" READONLY")", kUnset, "READONLY"},
           {R"("full")", kUnset, kUnset},
           {R"("readonly")", kUnset, kUnset},
           {R"("FOO")", kUnset, kUnset},
           {R"("BAR")", kUnset, kUnset},
           {R"("")", kUnset, kUnset},
           {R"("FULL,NONE")", kUnset, kUnset},
           {R"("FULL\u0000")", kUnset, kUnset},
           {R"("5")", kUnset, kUnset},
           {R"(5)", kUnset, kUnset},
           {R"(0)", kUnset, kUnset},
           {R"(1e999)", kUnset, kUnset},
           {R"(true)", kUnset, kUnset},
           {R"(["FULL"])", kUnset, kUnset},
           {R"({"mode":"READONLY"})", kUnset, kUnset},
           {R"({})", kUnset, kUnset},
       }) {
    for (const std::string subject : {"", "s"}) {
      const std::string at = subject.empty() ? "" : "/" + subject;
      // Alone in the log, as after compaction, the level above applies; behind another record, that one.
      for (const bool has_earlier : {false, true}) {
        records_ = {};
        if (has_earlier) write("CONFIG", subject, R"({"compatibilityLevel":"NONE"})");
        if (has_earlier) write("MODE", subject, R"({"mode":"IMPORT"})");
        write("CONFIG", subject, fmt::format(R"({{"compatibilityLevel":{}}})", row.value));
        write("MODE", subject, fmt::format(R"({{"mode":{}}})", row.value));
        const auto warnings = warnings_of_restart();
        const std::string level = *row.level ? row.level : has_earlier ? "NONE" : "BACKWARD";
        const std::string mode = *row.mode ? row.mode : has_earlier ? "IMPORT" : "READWRITE";
        EXPECT_EQ(ask("GET", "/config" + at + "?defaultToGlobal=true"),
                  fmt::format(R"(200 {{"compatibilityLevel":"{}"}})", level))
            << row.value;
        EXPECT_EQ(ask("GET", "/mode" + at + "?defaultToGlobal=true"), fmt::format(R"(200 {{"mode":"{}"}})", mode))
            << row.value;
        if (!has_earlier && !*row.level && !subject.empty()) {
          EXPECT_EQ(code_of(ask("GET", "/config/s")), 40408) << row.value;
          EXPECT_EQ(code_of(ask("DELETE", "/config/s")), 40401) << row.value;
        }
        EXPECT_EQ(warnings.size(), (*row.level ? 0u : 1u) + (*row.mode ? 0u : 1u)) << row.value;
        for (const auto& warning : warnings)
          EXPECT_NE(warning.find(subject.empty() ? "of all subjects" : "subject=s"), std::string::npos) << warning;
      }
    }
  }
}

TEST_F(Settings, OfAnotherFormAreWarnedOfOnceEach) {
  struct Row {
    const char* key;
    const char* value;
    size_t warnings;
  };
  const std::string config = key_of("CONFIG", "s");
  const std::string mode = key_of("MODE", "s");
  const std::string deletion = key_of("DELETE_SUBJECT", "s");
  for (const Row& row : std::initializer_list<Row>{
           {config.c_str(), "[]", 1},
           {config.c_str(), "5", 1},
           {config.c_str(), "", 1},
           {config.c_str(), "{", 1},
           {config.c_str(), "null", 0},  // a deletion
           {config.c_str(), "{}", 0},
           {config.c_str(), R"({"alias":"t","compatibilityLevel":null})", 0},
           {mode.c_str(), "{}", 1},  // nothing that it could mean
           {mode.c_str(), R"({"mode":null})", 1},
           {mode.c_str(), R"("READONLY")", 1},
           {deletion.c_str(), "{}", 1},
           {deletion.c_str(), R"({"version":"1"})", 1},
           {R"({"keytype":"CONTEXT","tenant":"default","context":".c","magic":0})", "{}", 1},
           {R"({"keytype":"FOO"})", R"({"a":1})", 1},
       }) {
    records_ = {};
    for (int i = 0; i < (std::string_view(row.key).find("CONTEXT") != std::string_view::npos ? 3 : 1); ++i)
      records_.all.emplace_back(row.key, Bytes(row.value));
    EXPECT_EQ(warnings_of_restart().size(), row.warnings) << row.key << " " << row.value;
    EXPECT_EQ(ask("GET", "/mode/s?defaultToGlobal=true"), R"(200 {"mode":"READWRITE"})") << row.key << row.value;
    EXPECT_EQ(add("s", R"("int")"), R"(200 {"id":1})") << row.key << row.value;
  }
}

TEST_F(Settings, WithoutALevelHaveTheServersOwn) {
  ask("PUT", "/config", R"({"compatibility":"NONE"})");
  write("CONFIG", "s", R"({"subject":"s","alias":"t"})");
  restart();
  EXPECT_EQ(ask("GET", "/config/s"), R"(200 {"compatibilityLevel":"BACKWARD"})");
  EXPECT_EQ(ask("GET", "/config/t?defaultToGlobal=true"), R"(200 {"compatibilityLevel":"NONE"})");
  ask("PUT", "/config/s", R"({"compatibility":"FULL"})");
  EXPECT_EQ(newest(key_of("CONFIG", "s")), R"({"subject":"s","compatibilityLevel":"FULL","alias":"t"})");
}

}  // namespace
}  // namespace muir::registry
