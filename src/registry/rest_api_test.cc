#include "registry/rest_api.h"

#include <gtest/gtest.h>

#include "registry/media_type.h"
#include "registry/rest_fixture.h"

namespace muir::registry {
namespace {

const std::string kA = R"({"name":"a","type":"int"})";
const std::string kB = R"({"name":"b","type":"int","default":0})";
const std::string kC = R"({"name":"c","type":"int"})";

TEST_F(RestApi, GivesEqualSchemasEqualIds) {
  EXPECT_EQ(add("s", R"("string")"), R"(200 {"id":1})");
  EXPECT_EQ(add("s", R"({"type":"string"})"), R"(200 {"id":1})");  // the same text once canonical
  EXPECT_EQ(add("t", R"("string")"), R"(200 {"id":1})");           // under another subject: a new version, the same id
  EXPECT_EQ(add("u", R"("int")"), R"(200 {"id":2})");
  EXPECT_EQ(ask("GET", "/schemas/ids/1"), R"(200 {"schema":"\"string\""})");
  EXPECT_EQ(ask("GET", "/schemas/ids/1/schema"), R"(200 "string")");
  EXPECT_EQ(ask("GET", "/schemas/ids/1/subjects"), R"(200 ["s","t"])");
  EXPECT_EQ(ask("GET", "/schemas/ids/1/versions"), R"(200 [{"subject":"s","version":1},{"subject":"t","version":1}])");
  EXPECT_EQ(ask("GET", "/subjects"), R"(200 ["s","t","u"])");
  EXPECT_EQ(ask("GET", "/subjects?subjectPrefix=t"), R"(200 ["t"])");
  EXPECT_EQ(ask("GET", "/subjects?offset=1&limit=1"), R"(200 ["t"])");
  EXPECT_EQ(ask("GET", "/subjects?subjectPrefix=:*:"), R"(200 ["s","t","u"])");
}

TEST_F(RestApi, GivesVersions) {
  add("s", record(kA));
  add("s", record(kA + "," + kB));
  const std::string second =
      R"({"subject":"s","version":2,"id":2,"schema":"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"b\",\"type\":\"int\",\"default\":0}]}"})";
  EXPECT_EQ(ask("GET", "/subjects/s/versions"), "200 [1,2]");
  EXPECT_EQ(ask("GET", "/subjects/s/versions/2"), "200 " + second);
  EXPECT_EQ(ask("GET", "/subjects/s/versions/latest"), "200 " + second);
  EXPECT_EQ(ask("GET", "/subjects/s/versions/-1"), "200 " + second);
  EXPECT_EQ(ask("GET", "/subjects/s/versions/1/schema"), "200 " + record(kA));
  EXPECT_EQ(ask("POST", "/subjects/s", body_of(record(kA + "," + kB))), "200 " + second);
  EXPECT_EQ(ask("GET", "/schemas?latestOnly=true"), "200 [" + second + "]");
}

TEST_F(RestApi, AnswersErrorsWithTheProtocolsCodes) {
  add("s", record(kA));
  struct Case {
    std::string method, target, body;
    int status, code;
  };
  const Case cases[]{
      {"GET", "/subjects/no/versions", "", 404, 40401},
      {"GET", "/subjects/no/versions/1", "", 404, 40401},
      {"GET", "/subjects/s/versions/2", "", 404, 40402},
      {"GET", "/subjects/s/versions/0", "", 422, 42202},
      {"GET", "/subjects/s/versions/x", "", 422, 42202},
      {"GET", "/subjects/s/versions/2147483648", "", 422, 42202},
      {"GET", "/schemas/ids/9", "", 404, 40403},
      {"GET", "/schemas/ids/x", "", 404, 404},
      {"POST", "/subjects/no", body_of("\"int\""), 404, 40401},
      {"POST", "/subjects/s", body_of("\"int\""), 404, 40403},
      {"POST", "/subjects/s", body_of("\"in\""), 422, 42201},
      {"POST", "/subjects/s/versions", body_of("\"in\""), 422, 42201},
      {"POST", "/subjects/s/versions", body_of(""), 422, 42201},
      {"POST", "/subjects/s/versions", "{", 400, 400},
      {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","schemaType":"PROTOBUF"})", 422, 42201},
      {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","references":[{"name":"x","subject":"no","version":1}]})",
       422, 42201},
      {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","metadata":{"tags":{}}})", 422, 42210},
      {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","id":5})", 422, 42205},
      {"POST", "/subjects/%01/versions", body_of("\"int\""), 422, 42208},
      {"POST", "/subjects/:.ctx:s/versions", body_of("\"int\""), 422, 42208},
      {"POST", "/subjects/s/versions", body_of(record(kA + "," + kC)), 409, 409},
      {"POST", "/compatibility/subjects/s/versions/9", body_of("\"int\""), 404, 40402},
      {"POST", "/compatibility/subjects/no/versions/1", body_of("\"int\""), 404, 40402},
      {"POST", "/compatibility/subjects/s/versions/latest", body_of("\"in\""), 422, 42201},
      {"POST", "/compatibility/subjects/s/versions/x", body_of("\"int\""), 422, 42202},
      {"PUT", "/config", R"({"compatibility":"SIDEWAYS"})", 422, 42203},
      {"GET", "/config/s", "", 404, 40408},
      {"DELETE", "/config/s", "", 404, 40401},
      {"PUT", "/mode", R"({"mode":"SLEEPING"})", 422, 42204},
      {"PUT", "/mode", R"({"mode":"IMPORT"})", 422, 42205},
      {"GET", "/mode/s", "", 404, 40409},
      {"DELETE", "/mode/s", "", 404, 40401},
      {"DELETE", "/subjects/no", "", 404, 40401},
      {"DELETE", "/subjects/s?permanent=true", "", 404, 40405},
      {"DELETE", "/subjects/s/versions/9", "", 404, 40402},
      {"DELETE", "/subjects/s/versions/1?permanent=true", "", 404, 40407},
  };
  for (const auto& c : cases) {
    const std::string answer = ask(c.method, c.target, c.body);
    EXPECT_EQ(answer.substr(0, 3), std::to_string(c.status))
        << c.method << " " << c.target << " " << c.body << ": " << answer;
    EXPECT_EQ(code_of(answer), c.code) << c.method << " " << c.target << ": " << answer;
  }
  EXPECT_EQ(ask("GET", "/subjects/s/versions"), "200 [1]");
}

TEST_F(RestApi, SaysWhyASchemaIsIncompatible) {
  add("s", record(kA));
  EXPECT_EQ(
      add("s", record(kC)),
      R"(409 {"error_code":409,"message":"Schema being registered is incompatible with an earlier schema for subject \"s\", details: [)"
      R"({errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'c' at path '/fields/0' in the new schema has no default value and is missing in the old schema', additionalInfo:'c'}, )"
      R"({oldSchemaVersion: 1}, {oldSchema: '{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}'}, {validateFields: 'false', compatibility: 'BACKWARD'}]"})");
}

TEST_F(RestApi, AppliesTheCompatibilityLevelOfTheSubject) {
  // Versions 1 and 2 of each subject: {a}, {a, b with default}; the third is tried.
  struct Case {
    std::string_view level, third;
    bool accepted;
  };
  const std::string none = record("");
  const std::string a = record(kA);
  const std::string c = record(kA + "," + kC);  // adds a field without default
  const std::string b_text = record(kA + R"(,{"name":"b","type":["int","string"],"default":0})");  // widens b
  const std::string b_required = record(kA + R"(,{"name":"b","type":"int"})");  // takes b's default away
  const Case cases[]{
      {"NONE", "\"int\"", true},
      {"BACKWARD", c, false},
      {"BACKWARD", a, true},
      {"BACKWARD", b_required, true},              // against the newest only
      {"BACKWARD_TRANSITIVE", b_required, false},  // version 1 has no b
      {"FORWARD", c, true},
      {"FORWARD", none, false},  // readers of version 2 need a
      {"FORWARD", b_text, false},
      {"FORWARD_TRANSITIVE", c, true},
      {"FULL", c, false},
      {"FULL", a, true},
      {"FULL_TRANSITIVE", a, true},
      {"FULL_TRANSITIVE", none, false},
  };
  int n = 0;
  for (const auto& test : cases) {
    const std::string subject = fmt::format("s{}", ++n);
    ASSERT_EQ(ask("PUT", "/config/" + subject, R"({"compatibility":"NONE"})").substr(0, 3), "200");
    add(subject, a);
    add(subject, record(kA + "," + kB));
    ASSERT_EQ(ask("PUT", "/config/" + subject, fmt::format(R"({{"compatibility":"{}"}})", test.level)),
              fmt::format(R"(200 {{"compatibility":"{}"}})", test.level));
    const std::string verdict =
        ask("POST", fmt::format("/compatibility/subjects/{}/versions", subject), body_of(test.third));
    EXPECT_EQ(verdict, test.accepted ? R"(200 {"is_compatible":true})" : R"(200 {"is_compatible":false})")
        << test.level << " " << test.third;
    EXPECT_EQ(add(subject, test.third).substr(0, 3), test.accepted ? "200" : "409") << test.level << " " << test.third;
  }
}

TEST_F(RestApi, TestsCompatibilityWithoutRegistering) {
  add("s", record(kA));
  const std::string bad = body_of(record(kC));
  EXPECT_EQ(ask("POST", "/compatibility/subjects/s/versions/latest", bad), R"(200 {"is_compatible":false})");
  EXPECT_EQ(ask("POST", "/compatibility/subjects/s/versions/1", body_of(record(kA + "," + kB))),
            R"(200 {"is_compatible":true})");
  EXPECT_EQ(ask("POST", "/compatibility/subjects/no/versions/latest", bad), R"(200 {"is_compatible":true})");
  const std::string verbose = ask("POST", "/compatibility/subjects/s/versions/latest?verbose=true", bad);
  EXPECT_NE(verbose.find("READER_FIELD_MISSING_DEFAULT_VALUE"), std::string::npos) << verbose;
  EXPECT_EQ(ask("POST", "/compatibility/subjects/s/versions/latest?verbose=true", body_of(record(kA))),
            R"(200 {"is_compatible":true,"messages":[]})");
  EXPECT_NE(ask("POST", "/compatibility/subjects/s/versions/latest?verbose=true", body_of("\"in\""))
                .find(R"("is_compatible":false)"),
            std::string::npos);
  EXPECT_EQ(ask("GET", "/subjects/s/versions"), "200 [1]");
}

TEST_F(RestApi, DeletesSoftlyFirstAndForGoodAfterThat) {
  add("s", record(kA));
  add("s", record(kA + "," + kB));
  EXPECT_EQ(ask("DELETE", "/subjects/s/versions/1"), "200 1");
  EXPECT_EQ(code_of(ask("DELETE", "/subjects/s/versions/1")), 40406);
  EXPECT_EQ(ask("GET", "/subjects/s/versions"), "200 [2]");
  EXPECT_EQ(ask("GET", "/subjects/s/versions?deleted=true"), "200 [1,2]");
  EXPECT_EQ(ask("GET", "/subjects/s/versions?deletedAsNegative=true"), "200 [-1,2]");
  EXPECT_EQ(code_of(ask("GET", "/subjects/s/versions/1")), 40402);
  EXPECT_EQ(ask("GET", "/subjects/s/versions/1?deleted=true").substr(0, 3), "200");
  EXPECT_EQ(ask("GET", "/schemas/ids/1").substr(0, 3), "200");  // data written with it must stay readable
  EXPECT_EQ(ask("DELETE", "/subjects/s/versions/1?permanent=true"), "200 1");
  EXPECT_EQ(code_of(ask("GET", "/schemas/ids/1")), 40403);

  EXPECT_EQ(ask("DELETE", "/subjects/s"), "200 [2]");
  EXPECT_EQ(code_of(ask("DELETE", "/subjects/s")), 40404);
  EXPECT_EQ(ask("GET", "/subjects"), "200 []");
  EXPECT_EQ(ask("GET", "/subjects?deleted=true"), R"(200 ["s"])");
  EXPECT_EQ(code_of(ask("GET", "/subjects/s/versions")), 40401);
  EXPECT_EQ(ask("DELETE", "/subjects/s?permanent=true"), "200 [2]");
  EXPECT_EQ(ask("GET", "/subjects?deleted=true"), "200 []");
  EXPECT_EQ(add("s", record(kA)), R"(200 {"id":3})");  // numbers start anew, ids do not
  EXPECT_EQ(ask("GET", "/subjects/s/versions"), "200 [1]");
}

TEST_F(RestApi, RegisteringADeletedSchemaAgainKeepsItsIdUnderANewVersion) {
  add("s", record(kA));
  ask("DELETE", "/subjects/s/versions/1");
  EXPECT_EQ(add("s", record(kA)), R"(200 {"id":1})");
  EXPECT_EQ(ask("GET", "/subjects/s/versions?deleted=true"), "200 [2]");
  // A deleted version is no obstacle to what comes next.
  ask("DELETE", "/subjects/s/versions/2");
  EXPECT_EQ(add("s", R"("int")"), R"(200 {"id":2})");
}

TEST_F(RestApi, SettingsFallBackFromSubjectToAll) {
  EXPECT_EQ(ask("GET", "/config"), R"(200 {"compatibilityLevel":"BACKWARD"})");
  EXPECT_EQ(ask("PUT", "/config", R"({"compatibility":"full"})"), R"(200 {"compatibility":"FULL"})");
  EXPECT_EQ(ask("GET", "/config/s?defaultToGlobal=true"), R"(200 {"compatibilityLevel":"FULL"})");
  EXPECT_EQ(ask("PUT", "/config/s", R"({"compatibility":"NONE"})"), R"(200 {"compatibility":"NONE"})");
  EXPECT_EQ(ask("GET", "/config/s"), R"(200 {"compatibilityLevel":"NONE"})");
  EXPECT_EQ(ask("DELETE", "/config/s"), R"(200 {"compatibilityLevel":"NONE"})");
  EXPECT_EQ(ask("DELETE", "/config"), R"(200 {"compatibilityLevel":"FULL"})");
  EXPECT_EQ(ask("GET", "/config"), R"(200 {"compatibilityLevel":"BACKWARD"})");
  EXPECT_EQ(ask("GET", "/mode"), R"(200 {"mode":"READWRITE"})");
  EXPECT_EQ(ask("PUT", "/mode/s", R"({"mode":"READONLY"})"), R"(200 {"mode":"READONLY"})");
  EXPECT_EQ(ask("GET", "/mode/s"), R"(200 {"mode":"READONLY"})");
  EXPECT_EQ(ask("GET", "/mode/t?defaultToGlobal=true"), R"(200 {"mode":"READWRITE"})");
  EXPECT_EQ(ask("DELETE", "/mode/s"), R"(200 {"mode":"READONLY"})");
}

TEST_F(RestApi, ReadOnlyRefusesWhatWouldWrite) {
  add("s", record(kA));
  ask("PUT", "/mode/s", R"({"mode":"READONLY"})");
  EXPECT_EQ(add("s", record(kA)), R"(200 {"id":1})");  // known already: nothing to write
  EXPECT_EQ(code_of(add("s", record(kA + "," + kB))), 42205);
  EXPECT_EQ(code_of(ask("DELETE", "/subjects/s")), 42205);
  EXPECT_EQ(code_of(ask("PUT", "/config/s", R"({"compatibility":"NONE"})")), 42205);
  EXPECT_EQ(add("t", record(kC)), R"(200 {"id":2})");
}

TEST_F(RestApi, ImportTakesIdsFromTheClient) {
  EXPECT_EQ(ask("PUT", "/mode", R"({"mode":"IMPORT"})"), R"(200 {"mode":"IMPORT"})");
  EXPECT_EQ(code_of(add("s", R"("int")")), 42205);
  EXPECT_EQ(ask("POST", "/subjects/s/versions", R"({"schema":"\"int\"","id":40,"version":3})"), R"(200 {"id":40})");
  EXPECT_EQ(code_of(ask("POST", "/subjects/t/versions", R"({"schema":"\"long\"","id":40})")), 42205);
  EXPECT_EQ(ask("GET", "/subjects/s/versions"), "200 [3]");
  EXPECT_EQ(ask("PUT", "/mode", R"({"mode":"READWRITE"})"), R"(200 {"mode":"READWRITE"})");
  EXPECT_EQ(add("u", R"("long")"), R"(200 {"id":41})");
}

TEST_F(RestApi, ResolvesReferences) {
  add("place", R"({"type":"record","name":"geo.Place","fields":[{"name":"lat","type":"double"}]})");
  const std::string text = R"({"type":"record","name":"Stop","fields":[{"name":"at","type":"geo.Place"}]})";
  const std::string body =
      schema::Json{{"schema", text},
                   {"references", schema::Json::Array{{{"name", "geo.Place"}, {"subject", "place"}, {"version", 1}}}}}
          .to_string();
  EXPECT_EQ(ask("POST", "/subjects/stop/versions", body), R"(200 {"id":2})");
  EXPECT_EQ(ask("POST", "/subjects/stop/versions", body), R"(200 {"id":2})");
  EXPECT_EQ(ask("GET", "/subjects/place/versions/1/referencedby"), "200 [2]");
  EXPECT_EQ(code_of(ask("DELETE", "/subjects/place/versions/1")), 42206);
  EXPECT_EQ(code_of(ask("DELETE", "/subjects/place")), 42206);
  // The same schema with everything inline is the same schema.
  const std::string inlined =
      R"({"type":"record","name":"Stop","fields":[{"name":"at","type":{"type":"record","name":"Place","namespace":"geo","fields":[{"name":"lat","type":"double"}]}}]})";
  EXPECT_EQ(add("stop", inlined), R"(200 {"id":2})");
  EXPECT_NE(ask("GET", "/subjects/stop/versions/1")
                .find(R"("references":[{"name":"geo.Place","subject":"place","version":1}])"),
            std::string::npos);
}

TEST_F(RestApi, KeepsItsStateInTheLog) {
  add("s", record(kA));
  add("s", record(kA + "," + kB));
  add("t", R"("int")");
  ask("DELETE", "/subjects/s/versions/1");
  ask("DELETE", "/subjects/t");
  ask("PUT", "/config/s", R"({"compatibility":"FULL"})");
  ask("PUT", "/mode", R"({"mode":"READONLY"})");
  const std::string_view questions[]{"/subjects?deleted=true",
                                     "/subjects",
                                     "/subjects/s/versions?deleted=true",
                                     "/subjects/s/versions",
                                     "/schemas/ids/1",
                                     "/schemas/ids/3",
                                     "/config/s",
                                     "/mode",
                                     "/schemas?deleted=true"};
  std::vector<std::string> before;
  for (const auto question : questions) before.push_back(ask("GET", question));
  restart();
  for (size_t i = 0; i < std::size(questions); ++i) EXPECT_EQ(ask("GET", questions[i]), before[i]) << questions[i];
  ask("PUT", "/mode", R"({"mode":"READWRITE"})");
  EXPECT_EQ(add("u", R"("long")"), R"(200 {"id":4})");
}

TEST_F(RestApi, WritesTheRecordsThatOtherRegistriesRead) {
  add("s", R"("int")");
  ask("PUT", "/config", R"({"compatibility":"FULL"})");
  ask("PUT", "/mode/s", R"({"mode":"READWRITE"})");
  ask("DELETE", "/subjects/s");
  const std::pair<std::string_view, std::string_view> expected[]{
      {R"({"keytype":"SCHEMA","subject":"s","version":1,"magic":1})",
       R"({"subject":"s","version":1,"id":1,"schema":"\"int\"","deleted":false})"},
      {R"({"keytype":"CONFIG","magic":0})", R"({"compatibilityLevel":"FULL"})"},
      {R"({"keytype":"MODE","subject":"s","magic":0})", R"({"subject":"s","mode":"READWRITE"})"},
      {R"({"keytype":"DELETE_SUBJECT","subject":"s","magic":0})", R"({"subject":"s","version":1})"},
      {R"({"keytype":"MODE","subject":"s","magic":0})", "null"},
  };
  ASSERT_EQ(records_.all.size(), std::size(expected));
  for (size_t i = 0; i < std::size(expected); ++i) {
    EXPECT_EQ(records_.all[i].first, expected[i].first);
    EXPECT_EQ(records_.all[i].second.value_or("null"), expected[i].second);
  }
}

TEST_F(RestApi, ReadsTheRecordsOfOtherRegistries) {
  records_.all = {
      {R"({"keytype":"NOOP","magic":0})", std::nullopt},
      {R"({"keytype":"CONFIG","magic":0})", R"({"compatibilityLevel":"NONE"})"},
      {R"({"keytype":"SCHEMA","subject":"p","version":1,"magic":0})",
       R"({"subject":"p","version":1,"id":7,"md5":"x==","schemaType":"PROTOBUF","schema":"syntax = \"proto3\";","deleted":false})"},
      {R"({"magic":1,"version":2,"subject":"s","keytype":"SCHEMA"})",
       R"({"subject":"s","version":2,"id":9,"schema":"\"int\"","deleted":false})"},
      {"garbage", "garbage"},
      {R"({"keytype":"CONTEXT","tenant":"default","context":".c","magic":0})", "{}"},
  };
  restart();
  EXPECT_EQ(ask("GET", "/config"), R"(200 {"compatibilityLevel":"NONE"})");
  EXPECT_EQ(ask("GET", "/schemas/ids/7"), R"(200 {"schemaType":"PROTOBUF","schema":"syntax = \"proto3\";"})");
  EXPECT_EQ(add("s", R"("string")"), R"(200 {"id":10})");
  // What it does not understand it keeps.
  ask("DELETE", "/subjects/p/versions/1");
  EXPECT_EQ(
      *records_.all.back().second,
      R"({"subject":"p","version":1,"id":7,"schemaType":"PROTOBUF","md5":"x==","schema":"syntax = \"proto3\";","deleted":true})");
}

TEST_F(RestApi, OfTwoThatWriteAtOnceTheSecondTakesTheNextId) {
  someone_registers_first("t", R"("long")");
  EXPECT_EQ(add("s", R"("int")"), R"(200 {"id":2})");
  const std::string_view questions[]{"/schemas", "/subjects/s/versions", "/subjects/t/versions", "/schemas/ids/1"};
  EXPECT_EQ(
      ask("GET", "/schemas"),
      R"(200 [{"subject":"s","version":1,"id":2,"schema":"\"int\""},{"subject":"t","version":1,"id":1,"schema":"\"long\""}])");
  std::vector<std::string> before;
  for (const auto question : questions) before.push_back(ask("GET", question));
  restart();
  for (size_t i = 0; i < std::size(questions); ++i) EXPECT_EQ(ask("GET", questions[i]), before[i]) << questions[i];
}

TEST_F(RestApi, OfTwoThatWriteAtOnceTheSecondIsCheckedAgainstTheFirst) {
  someone_registers_first("s", record(kA));
  EXPECT_EQ(add("s", record(kA + "," + kB)), R"(200 {"id":2})");
  EXPECT_EQ(ask("GET", "/subjects/s/versions"), "200 [1,2]");
  // Its first record has the same key as the other's: the other's is written again, for compaction keeps the newest.
  EXPECT_NE(newest(R"({"keytype":"SCHEMA","subject":"s","version":1,"magic":1})").find(R"("id":1)"), std::string::npos);
  EXPECT_EQ(newest(R"({"keytype":"SCHEMA","subject":"s","version":1,"magic":1})").find(R"(\"b\")"), std::string::npos);

  someone_registers_first("u", record(kA));
  EXPECT_EQ(add("u", record(kC)).substr(0, 3), "409");
  EXPECT_EQ(ask("GET", "/subjects/u/versions"), "200 [1]");
  restart();
  EXPECT_EQ(ask("GET", "/subjects/s/versions"), "200 [1,2]");
  EXPECT_EQ(ask("GET", "/subjects/u/versions/1/schema"), "200 " + record(kA));
}

TEST_F(RestApi, WhatAnotherRegistryOverruledIsWrittenAgain) {
  add("s", record(kA));
  // Someone else wrote at the same moment and died before it could set it right.
  records_.all.emplace_back(R"({"keytype":"SCHEMA","subject":"s","version":1,"magic":1})",
                            R"({"subject":"s","version":1,"id":1,"schema":"\"int\"","deleted":false})");
  restart();
  EXPECT_EQ(ask("GET", "/schemas/ids/1/schema"), "200 " + record(kA));
  add("t", R"("long")");
  EXPECT_NE(newest(R"({"keytype":"SCHEMA","subject":"s","version":1,"magic":1})").find("record"), std::string::npos);
}

TEST_F(RestApi, NamesInReferencesDoNotMakeSchemasEqual) {
  add("place", R"({"type":"record","name":"P","fields":[]})");
  const auto with_references = [&](std::vector<std::pair<std::string, std::string>> references) {
    schema::Json::Array items;
    for (const auto& [name, subject] : references)
      items.push_back({{"name", name}, {"subject", subject}, {"version", 1}});
    return ask("POST", "/subjects/s/versions",
               schema::Json{{"schema", R"("int")"}, {"references", std::move(items)}}.to_string());
  };
  EXPECT_EQ(with_references({{"a", "place"}, {"b", "place"}}), R"(200 {"id":2})");
  EXPECT_EQ(with_references({{"a\nplace\n1\nb", "place"}}), R"(200 {"id":3})");
}

TEST_F(RestApi, ContentImportedUnderTwoIdsKeepsBoth) {
  ask("PUT", "/mode", R"({"mode":"IMPORT"})");
  const auto import = [&](std::string_view subject, int id) {
    return ask("POST", fmt::format("/subjects/{}/versions", subject),
               fmt::format(R"({{"schema":"\"int\"","id":{}}})", id));
  };
  EXPECT_EQ(import("s", 7), R"(200 {"id":7})");
  EXPECT_EQ(import("t", 9), R"(200 {"id":9})");
  ask("PUT", "/mode", R"({"mode":"READWRITE"})");
  EXPECT_EQ(add("t", R"("int")"), R"(200 {"id":9})");  // known there already
  EXPECT_EQ(add("u", R"("int")"), R"(200 {"id":7})");  // new: the lowest
  ask("DELETE", "/subjects/t");
  ask("DELETE", "/subjects/t?permanent=true");
  EXPECT_EQ(code_of(ask("GET", "/schemas/ids/9")), 40403);
  EXPECT_EQ(add("v", R"("int")"), R"(200 {"id":7})");
}

TEST_F(RestApi, AfterTheLargestVersionNothingNewIsWrittenAndAfterTheLargestIdTheNextFreeOneIsGiven) {
  ask("PUT", "/mode", R"({"mode":"IMPORT"})");
  const auto import = [&](std::string_view subject, std::string_view schema, int id, int version) {
    return ask("POST", fmt::format("/subjects/{}/versions", subject),
               fmt::format(R"({{"schema":"\"{}\"","id":{},"version":{}}})", schema, id, version));
  };
  EXPECT_EQ(import("v", "int", 7, INT32_MAX), R"(200 {"id":7})");
  ask("PUT", "/mode", R"({"mode":"READWRITE"})");
  const size_t before = records_.all.size();
  EXPECT_EQ(code_of(add("v", R"("long")")), 42202);
  EXPECT_EQ(records_.all.size(), before);
  EXPECT_EQ(add("w", R"("long")"), R"(200 {"id":8})");
  ask("PUT", "/mode/s", R"({"mode":"IMPORT"})");
  EXPECT_EQ(import("s", "string", INT32_MAX, 1), R"(200 {"id":2147483647})");
  ask("PUT", "/mode/s", R"({"mode":"READWRITE"})");
  EXPECT_EQ(add("t", R"("bytes")"), R"(200 {"id":9})");
  EXPECT_EQ(add("t2", R"("string")"), R"(200 {"id":2147483647})");  // its content has one
  EXPECT_EQ(add("t3", R"("float")"), R"(200 {"id":10})");
  restart();
  EXPECT_EQ(add("t4", R"("double")"), R"(200 {"id":11})");
  EXPECT_EQ(ask("GET", "/schemas/ids/2147483647/schema"), R"(200 "string")");
}

// What JVM registries and tools may have written. An id beyond 32 bits stands in no record's header.
TEST_F(RestApi, SchemasOfOthersMayHaveAnyId) {
  struct Row {
    const char* id;
    const char* by_id;  // 404: passed over
    const char* next;
  };
  for (const Row& row : std::initializer_list<Row>{{"0", R"(200 "int")", R"(200 {"id":1})"},
                                                   {"-1", R"(200 "int")", R"(200 {"id":1})"},
                                                   {"-2147483648", R"(200 "int")", R"(200 {"id":1})"},
                                                   {"2147483647", R"(200 "int")", R"(200 {"id":1})"},
                                                   {"2147483646", R"(200 "int")", R"(200 {"id":2147483647})"},
                                                   {"2147483648", "404", R"(200 {"id":1})"},
                                                   {"9223372036854775807", "404", R"(200 {"id":1})"},
                                                   {"1e3", "404", R"(200 {"id":1})"},
                                                   {"1.5", "404", R"(200 {"id":1})"},
                                                   {"\"7\"", "404", R"(200 {"id":1})"},
                                                   {"null", "404", R"(200 {"id":1})"}}) {
    records_.all = {
        {R"({"keytype":"SCHEMA","subject":"s","version":1,"magic":1})",
         fmt::format(R"({{"subject":"s","version":1,"id":{},"schema":"\"int\"","deleted":false}})", row.id)}};
    restart();
    const std::string found = ask("GET", fmt::format("/schemas/ids/{}/schema", row.id));
    EXPECT_EQ(found.starts_with("404") ? "404" : found, row.by_id) << row.id;
    EXPECT_EQ(add("t", R"("long")"), row.next) << row.id;
  }
}

TEST_F(RestApi, IdsOfOtherContextsAreNotTakenForOurs) {
  records_.all = {{R"({"keytype":"SCHEMA","subject":":.other:s","version":1,"magic":1})",
                   R"({"subject":":.other:s","version":1,"id":1,"schema":"\"int\"","deleted":false})"},
                  {R"({"keytype":"SCHEMA","subject":"s","version":1,"magic":1})",
                   R"({"subject":"s","version":1,"id":1,"schema":"\"long\"","deleted":false})"},
                  {R"({"keytype":"SCHEMA","subject":":.other:s","version":2,"magic":1})",
                   R"({"subject":":.other:s","version":2,"id":2,"schema":"\"string\"","deleted":false})"}};
  restart();
  EXPECT_EQ(ask("GET", "/schemas/ids/1/schema"), R"(200 "long")");
  EXPECT_EQ(ask("GET", "/schemas/ids/1/versions"), R"(200 [{"subject":"s","version":1}])");
  EXPECT_EQ(ask("GET", "/subjects/:.other:s/versions/1/schema"), R"(200 "int")");
  EXPECT_EQ(ask("GET", "/schemas/ids/2/schema"), R"(200 "string")");  // found nowhere else
  EXPECT_EQ(add("t", R"("int")"), R"(200 {"id":3})");
}

TEST_F(RestApi, SettingsOfOtherRegistriesSurviveAChangeOfTheLevel) {
  records_.all = {{R"({"keytype":"CONFIG","subject":"s","magic":0})",
                   R"({"subject":"s","compatibilityLevel":"FULL","normalize":true,"alias":"t"})"},
                  {R"({"keytype":"CONFIG","subject":"n","magic":0})", R"({"subject":"n","normalize":true})"}};
  restart();
  EXPECT_EQ(ask("GET", "/config/s"), R"(200 {"compatibilityLevel":"FULL"})");
  EXPECT_EQ(ask("GET", "/config/n"), R"(200 {"compatibilityLevel":"BACKWARD"})");  // settings, but no level
  ask("PUT", "/config/s", R"({"compatibility":"NONE","normalize":null})");
  EXPECT_EQ(*records_.all.back().second, R"({"subject":"s","compatibilityLevel":"NONE","normalize":true,"alias":"t"})");
  EXPECT_EQ(code_of(ask("PUT", "/config/s", R"({"compatibility":"NONE","normalize":true})")), 42203);
  EXPECT_EQ(ask("PUT", "/config/s", R"({"compatibility":"NONE","validateFields":false})").substr(0, 3), "200");
}

// Longer than a part of the answer, of which each begins where the one before it ended.
TEST_F(RestApi, ListsAllSchemasHoweverLongTheirTexts) {
  for (int i = 0; i < 12; ++i) {
    const std::string subject = fmt::format("{}{}", i % 3 == 0 ? "a" : "b", i / 3);
    const std::string doc(static_cast<size_t>(i % 4) * 40'000, 'x');
    ask("PUT", "/config/" + subject, R"({"compatibility":"NONE"})");
    for (int version = 1; version <= 1 + i % 2; ++version) {
      const std::string text =
          fmt::format(R"({{"type":"enum","name":"E{}v{}","symbols":["A"],"doc":"{}"}})", i, version, doc);
      ASSERT_EQ(add(subject, text).substr(0, 3), "200");
    }
  }
  ask("DELETE", "/subjects/b1/versions/1");
  const auto listed = [&](const std::string& query) {
    const std::string answer = ask("GET", "/schemas" + query);
    const auto json = schema::Json::parse(answer.substr(4));
    std::string names;
    if (!json.ok()) return answer.substr(0, 200);
    for (const auto& one : *json->as_array())
      names += fmt::format("{}/{} ", *one.find("subject")->as_string(), *one.find("version")->as_int64());
    return names;
  };
  // The same from what is asked for one by one.
  std::vector<std::string> live;
  std::vector<std::string> all;
  std::vector<std::string> latest;
  for (const std::string& subject : service_->subjects("", true, false)) {
    const auto versions = *service_->versions(subject, true, false);
    const auto of_live = *service_->versions(subject, false, false);
    for (const int version : versions) all.push_back(fmt::format("{}/{} ", subject, version));
    for (const int version : of_live) live.push_back(fmt::format("{}/{} ", subject, version));
    latest.push_back(fmt::format("{}/{} ", subject, of_live.back()));
  }
  const auto joined = [](const std::vector<std::string>& names, size_t from, size_t count) {
    std::string out;
    for (size_t i = from; i < names.size() && i - from < count; ++i) out += names[i];
    return out;
  };
  EXPECT_EQ(listed(""), joined(live, 0, 99));
  EXPECT_EQ(listed("?deleted=true"), joined(all, 0, 99));
  EXPECT_EQ(listed("?latestOnly=true"), joined(latest, 0, 99));
  for (const size_t offset : {size_t{0}, size_t{1}, size_t{7}, live.size() - 1, live.size(), live.size() + 1}) {
    for (const size_t limit : {size_t{1}, size_t{5}, live.size(), live.size() + 1})
      EXPECT_EQ(listed(fmt::format("?offset={}&limit={}", offset, limit)), joined(live, offset, limit));
  }
  std::string of_a;
  for (const auto& name : live) of_a += name.starts_with('a') ? name : "";
  EXPECT_EQ(listed("?subjectPrefix=a"), of_a);
  EXPECT_EQ(ask("GET", "/schemas?subjectPrefix=c"), "200 []");
}

TEST_F(RestApi, SpeaksTheTypesThatClientsMay) {
  struct Case {
    std::string_view content_type, accept;
    int status;
  };
  const Case cases[]{
      {"", "", 200},
      {"application/vnd.schemaregistry.v1+json", "*/*", 200},
      {"application/json; charset=utf-8", "application/json; q=0.5", 200},
      {"Application/JSON ;charset=utf-8", "text/html, */*;q=0.1", 200},
      {"application/octet-stream", "application/*", 200},
      {"text/plain", "*/*", 415},
      {"application/x-www-form-urlencoded", "*/*", 415},
      {"application/json", "text/html", 406},
  };
  add("s", R"("int")");
  for (const auto& c : cases) {
    const auto response =
        rest_->answer({.method = "POST",
                       .headers = {{"content-type", std::string(c.content_type)}, {"accept", std::string(c.accept)}},
                       .body = body_of(R"("int")"),
                       .raw_path = "/subjects/s"});
    EXPECT_EQ(response.status, c.status) << c.content_type << " | " << c.accept;
  }
}

TEST(RestResponse, ContentTypeIsTheOneThatTheClientAccepts) {
  const std::string v1 = "application/vnd.schemaregistry.v1+json";
  const std::string plain = "application/vnd.schemaregistry+json";
  const std::string json = "application/json";
  const std::pair<std::string, std::string> cases[]{
      {"", v1},
      {" ", v1},
      {"*/*", v1},
      {v1 + ", " + json, v1},
      {json + ", " + v1, v1},
      {plain, plain},
      {json, json},
      {"APPLICATION/JSON; charset=utf-8", json},
      {v1 + ";q=0.1, " + json + ";q=0.9", json},
      {v1 + ";q=0.5," + plain + ";q=0.5," + json + ";q=0.4", v1},
      {v1 + " ; Q=0.2 , " + json + " ; q = 0.3", json},
      {json + ";q=0, */*", v1},
      {v1 + ";q=0, */*;q=0.5", plain},
      {"*/*;q=0.1, " + json + ";q=0.2", json},
      {"text/html, application/xhtml+xml, */*;q=0.8", v1},
      {"application/*;q=0.1, " + plain, plain},
      {json + ";q=7, " + plain + ";q=1", plain},
      {json + ";q=x", json},
      {json + ";q=0.000", "none"},
      {"*/*;q=0", "none"},
      {"text/html", "none"},
      {",;,=;q", "none"},
  };
  for (const auto& [accept, type] : cases) {
    EXPECT_EQ(accepted_type(accept).value_or("none"), type) << accept;
    net::HttpResponse error;
    rest_options().form(error, {.status = 404, .message = "x"}, accept);
    EXPECT_EQ(error.content_type, type == "none" ? v1 : type) << accept;
  }
}

}  // namespace
}  // namespace muir::registry
