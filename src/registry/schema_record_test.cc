#include "registry/schema_record.h"

#include <gtest/gtest.h>

#include "registry/http_registry_client.h"
#include "registry/media_type.h"
#include "registry/rest_api.h"
#include "testing/mutations.h"

namespace muir::registry {
namespace {

TEST(FuzzSchemaRecord, SurvivesMutations) {
  testing::survive_mutations(
      "registry_schema_record", fuzz_schema_record,
      {R"({"keytype":"SCHEMA","subject":"s","version":1,"magic":1})",
       R"({"keytype":"DELETE_SUBJECT","subject":"s","magic":0})", R"({"keytype":"CONFIG","subject":null,"magic":0})",
       R"({"keytype":"CONFIG","magic":0})", R"({"keytype":"NOOP","magic":0})",
       R"({"subject":"s","version":1,"id":1,"md5":"x","schemaType":"JSON","references":[{"name":"n","subject":"t","version":2}],"schema":"{}","deleted":false})"},
      {.rounds = 20'000, .alphabet = "{}[]\",:\\0123456789"});
}

TEST(FuzzRest, SurvivesMutations) {
  const std::string record =
      R"({"schema":"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}"})";
  const std::string wider =
      R"({"schema":"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"long\"},{\"name\":\"b\",\"type\":\"int\",\"default\":0}]}"})";
  testing::survive_mutations(
      "registry_rest", fuzz_rest,
      {"POST /subjects/s/versions\n" + record + "\n\nPOST /compatibility/subjects/s/versions/latest?verbose=true\n" +
           wider + "\n\nPOST /subjects/s/versions\n" + wider + "\n\nGET /subjects/s/versions/2\n\nGET /schemas/ids/1",
       "PUT /config/s\n{\"compatibility\":\"FULL_TRANSITIVE\"}\n\nPOST /subjects/s/versions\n" + record +
           "\n\nDELETE /subjects/s\n\nDELETE /subjects/s?permanent=true\n\nGET /subjects?deleted=true&offset=0&limit=5",
       "PUT /mode?force=true\n{\"mode\":\"IMPORT\"}\n\nPOST /subjects/a%2Fb/versions\n"
       R"({"schema":"\"string\"","id":77,"version":5})"
       "\n\nGET /schemas/ids/77/versions\n\nDELETE /mode",
       R"(RECORD {"keytype":"SCHEMA","subject":"t","version":1,"magic":1})"
       "\n"
       R"({"subject":"t","version":1,"id":3,"schema":"{\"type\":\"enum\",\"name\":\"n.E\",\"symbols\":[\"A\"]}","deleted":false})"
       "\n\nPOST /subjects/u/versions\n"
       R"({"schema":"{\"type\":\"array\",\"items\":\"n.E\"}","references":[{"name":"n.E","subject":"t","version":1}]})"
       "\n\nGET /subjects/t/versions/1/referencedby\n\nDELETE /subjects/t/versions/1"},
      {.rounds = 5'000, .alphabet = "{}[]\",:\\/?&=\n0123456789"});
}

TEST(FuzzRegistryAnswer, SurvivesMutations) {
  testing::survive_mutations(
      "registry_answer", fuzz_answer,
      {R"(200 {"schema":"\"int\""})"
       "\n\n"
       R"(200 {"subject":"s","version":3,"id":7,"schema":"\"int\""})"
       "\n\n"
       R"(200 {"id":7})"
       "\n\n"
       R"(404 {"error_code":40403,"message":"Schema not found"})",
       R"(200 {"schema":"{\"type\":\"array\",\"items\":\"n.E\"}","references":[{"name":"n.E","subject":"t","version":1}]})"
       "\n\n"
       R"(200 {"subject":"t","version":1,"id":3,"schema":"{\"type\":\"enum\",\"name\":\"n.E\",\"symbols\":[\"A\"]}"})"
       "\n\n503 {}\n\n429 \n\n"
       R"(409 {"error_code":409,"message":"incompatible"})"
       "\n\n"
       R"(200 {"id":2147483647})"},
      {.rounds = 20'000, .alphabet = "{}[]\",:\\\n 0123456789"});
}

TEST(FuzzMediaType, SurvivesMutations) {
  testing::survive_mutations("registry_media_type", fuzz_media_type,
                             {"application/vnd.schemaregistry.v1+json, application/json;q=0.5, */*;q=0.1",
                              "application/json; charset=utf-8", "APPLICATION/*;a=b;q=1"},
                             {.alphabet = "/*;=,. q0123456789"});
}

TEST(SchemaRecord, RefusesKeysWithoutTheirParts) {
  const std::string_view keys[]{"",
                                "[]",
                                "{}",
                                R"({"keytype":"SCHEMA","subject":"s"})",
                                R"({"keytype":"SCHEMA","version":1})",
                                R"({"keytype":"SCHEMA","subject":"s","version":0})",
                                R"({"keytype":"DELETE_SUBJECT","magic":0})"};
  for (const auto key : keys) EXPECT_FALSE(decode_key(key).ok()) << key;
  EXPECT_EQ(decode_key(R"({"keytype":"SOMETHING_NEW"})")->kind, RecordKind::other);
}

}  // namespace
}  // namespace muir::registry
