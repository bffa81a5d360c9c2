#include "page_view_sessions/page_view_sessions.h"
#include "run.h"

int main(int argc, char** argv) {
  return examples::run(argc, argv,
                       {.name = "page_view_sessions",
                        .about = "Makes visits of clicks that are at most half an hour apart.",
                        .topology = page_view_sessions::topology(),
                        .topics = {"clicks", "visits", "visits-over", "clicks-dead"},
                        .dead_letters = "clicks-dead"});
}
