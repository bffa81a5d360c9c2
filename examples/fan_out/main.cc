#include "fan_out/fan_out.h"
#include "run.h"

int main(int argc, char** argv) {
  return examples::run(argc, argv,
                       {.name = "fan_out",
                        .about = "Sends announcements to the subscribers of their channel, by mail, push or sms.",
                        .topology = fan_out::topology(),
                        .topics = {"announcements", "subscribers", "announced", "notify-mail", "notify-push",
                                   "notify-sms", "announcements-dead"},
                        .dead_letters = "announcements-dead"});
}
