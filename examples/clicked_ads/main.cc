#include "clicked_ads/clicked_ads.h"
#include "run.h"

int main(int argc, char** argv) {
  return examples::run(argc, argv,
                       {.name = "clicked_ads",
                        .about = "Joins the views of ads with their clicks, and counts views per campaign and minute.",
                        .topology = clicked_ads::topology(),
                        .topics = {"ads", "ad-views", "ad-clicks", "campaign-views", "ad-results", "ads-dead"},
                        .dead_letters = "ads-dead"});
}
