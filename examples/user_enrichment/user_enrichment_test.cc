#include "user_enrichment/user_enrichment.h"

#include <gtest/gtest.h>

#include <optional>

#include "timeline.h"

namespace examples {
namespace {

TEST(UserEnrichment, ActionsGetNameCountryAndTheirNumber) {
  Timeline timeline(user_enrichment::topology(), {.dead_letters = "dead"});
  timeline.run({
      {"10:00:00", "country-names", "PL", "Poland"},
      {"10:00:00", "user-names", "u1", "{'name':'Ann','country':'PL'}"},
      {"10:00:01",
       "actions",
       std::nullopt,
       "{'user':'u1','action':'login'}",
       {"actions-enriched u1 {'action':'login','appearance':1,'name':'Ann','country':'Poland'} @10:00:01"}},
      {"10:00:02",
       "actions",
       "any",
       "{'user':'u1','action':'buy'}",
       {"actions-enriched u1 {'action':'buy','appearance':2,'name':'Ann','country':'Poland'} @10:00:02"}},
      // A user that nobody knows yet, who then has a name, and a country that has none.
      {"10:00:03",
       "actions",
       "any",
       "{'user':'u2','action':'login'}",
       {"actions-enriched u2 {'action':'login','appearance':1,'name':null,'country':null} @10:00:03"}},
      {"10:00:04", "user-names", "u2", "{'name':'Bob','country':'XX'}"},
      {"10:00:05",
       "actions",
       "any",
       "{'user':'u2','action':'buy'}",
       {"actions-enriched u2 {'action':'buy','appearance':2,'name':'Bob','country':'XX'} @10:00:05"}},
      // Ann leaves; what is known of her goes, but not her count.
      {"10:00:06", "user-names", "u1", std::nullopt},
      {"10:00:07",
       "actions",
       "any",
       "{'user':'u1','action':'logout'}",
       {"actions-enriched u1 {'action':'logout','appearance':3,'name':null,'country':null} @10:00:07"}},
      {"10:00:08", "actions", "any", "{'user':'','action':'login'}"},
      {"10:00:09", "actions", "any", std::nullopt},
      {"10:00:10", "actions", "any", "login", {"dead any login @10:00:10"}},
  });
  ASSERT_TRUE(timeline.driver().restart().ok());  // counts are restored from their changelog
  timeline.run({
      {"10:00:11",
       "actions",
       "any",
       "{'user':'u1','action':'login'}",
       {"actions-enriched u1 {'action':'login','appearance':4,'name':null,'country':null} @10:00:11"}},
  });
}

}  // namespace
}  // namespace examples
