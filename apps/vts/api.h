// Api: the REST interface under /api/v1, answered from the view.
#pragma once

#include <functional>

#include "apps/vts/gateway.h"
#include "apps/vts/master_writer.h"
#include "apps/vts/stats.h"
#include "apps/vts/view.h"
#include "net/http_server.h"

namespace muir::vts {

// Thread-safe; everything it refers to outlives the server.
class Api {
 public:
  Api(Gateway& gateway, MasterWriter& master, View& view, StatsBoard& board)
      : gateway_(gateway), master_(master), view_(view), board_(board) {}
  // Adds the routes.
  void add_to(net::HttpServer& server);

 private:
  using Request = net::HttpRequest;
  using Responder = std::shared_ptr<net::HttpResponder>;

  using Answer = std::function<net::HttpResponse(const Request&)>;

  // `parameters`: what the query may name.
  static void add(net::HttpServer& server, std::string method, std::string path,
                  std::initializer_list<std::string_view> parameters, net::HttpHandler handler);
  // A GET that is answered at once.
  static void add_answer(net::HttpServer& server, std::string path, std::initializer_list<std::string_view> parameters,
                         Answer answer);
  void add_vehicles(net::HttpServer& server);
  void add_zones(net::HttpServer& server);
  void add_events(net::HttpServer& server);
  [[nodiscard]] net::HttpResponse vehicle(const Request& request) const;
  [[nodiscard]] net::HttpResponse location(const Request& request) const;
  [[nodiscard]] net::HttpResponse speed(const Request& request) const;
  [[nodiscard]] net::HttpResponse trail(const Request& request) const;
  [[nodiscard]] net::HttpResponse zones() const;
  [[nodiscard]] net::HttpResponse zone_vehicles(const Request& request) const;
  void put_vehicle(const Request& request, const Responder& responder);
  void put_zone(const Request& request, const Responder& responder);

  Gateway& gateway_;
  MasterWriter& master_;
  View& view_;
  StatsBoard& board_;
};

}  // namespace muir::vts
