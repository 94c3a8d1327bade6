// What can be put on top of our plain server, so that a run tells what each of it costs.
#ifndef ROLLCALL_TOOLS_BENCH_LAYER_H_
#define ROLLCALL_TOOLS_BENCH_LAYER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "net/tls/tls_context.h"
#include "store/protocol/dialect.h"

namespace rollcall::bench {

// What one server needs of a layer.
struct LayerShare {
  std::vector<std::string> flags;  // Of store_server.
  // Lives as long as the server: a folder, or another process that it needs. May be null.
  std::shared_ptr<void> kept = nullptr;
};

// Called for each server that is started. Its error is that of the start.
using PrepareLayer = std::function<absl::StatusOr<LayerShare>()>;

struct Layer {
  PrepareLayer prepare;
  // How a load gets in; both null where it does as without the layer.
  std::shared_ptr<const net::TlsContext> tls = nullptr;
  std::shared_ptr<const std::string> token = nullptr;
};

// Several on one server.
struct Layers {
  std::vector<PrepareLayer> prepare;
  std::shared_ptr<const net::TlsContext> tls = nullptr;
  std::shared_ptr<const std::string> token = nullptr;
};

// For a server in `dialect`. InvalidArgument: one is not known, or not in that dialect, or two
// contradict each other.
absl::StatusOr<Layers> LayersNamed(absl::Span<const absl::string_view> names,
                                   protocol::Dialect dialect);
// "tls, mtls, token, ..."
std::string LayerNames();

}  // namespace rollcall::bench

#endif  // ROLLCALL_TOOLS_BENCH_LAYER_H_
