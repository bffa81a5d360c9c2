#include "page_view_region/page_view_region.h"
#include "run.h"

int main(int argc, char** argv) {
  return examples::run(
      argc, argv,
      {.name = "page_view_region",
       .about = "Counts the views of page-views per region, which user-profiles knows, into region-views.",
       .topology = page_view_region::topology(),
       .topics = {"page-views", "user-profiles", "region-views", "page-views-dead"},
       .dead_letters = "page-views-dead"});
}
