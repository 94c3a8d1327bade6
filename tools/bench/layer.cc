#include "tools/bench/layer.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "glog/logging.h"
#include "net/tls/tls_context.h"
#include "net/tls/tls_files.h"
#include "store/protocol/dialect.h"
#include "testing/etcd_cluster.h"
#include "testing/temp_directory.h"
#include "testing/tls_directory.h"

namespace rollcall::bench {
namespace {

Layer TlsLayer(bool mutual) {
  const auto files = std::make_shared<TlsDirectory>(absl::Now());
  absl::StatusOr<std::shared_ptr<const net::TlsContext>> tls =
      net::LoadTlsContext(files->Client(/*known=*/mutual));
  CHECK(tls.ok()) << tls.status();
  return {.prepare = [files, mutual]() -> absl::StatusOr<LayerShare> {
            const net::TlsServerFiles server = files->Server(mutual);
            return LayerShare{.flags = {absl::StrCat("--tls_cert=", server.certificate_chain),
                                        absl::StrCat("--tls_key=", server.private_key),
                                        absl::StrCat("--tls_client_ca=", server.client_ca)}};
          },
          .tls = *std::move(tls)};
}

Layer OneSidedTlsLayer() { return TlsLayer(/*mutual=*/false); }
Layer MutualTlsLayer() { return TlsLayer(/*mutual=*/true); }

Layer TokenLayer() {
  const auto files = std::make_shared<TlsDirectory>(absl::Now());
  const auto token = std::make_shared<const std::string>("a-token-of-thirty-two-characters");
  const std::string path = files->Write("tokens", *token);
  return {.prepare = [files, path]() -> absl::StatusOr<LayerShare> {
            return LayerShare{.flags = {absl::StrCat("--token_file=", path)}};
          },
          .token = token};
}

// A journal of its own for each server, where temporary files are: on a disk, if it is to tell
// anything.
Layer JournalLayer() {
  return {.prepare = []() -> absl::StatusOr<LayerShare> {
    const auto directory = std::make_shared<TempDirectory>();
    return LayerShare{.flags = {absl::StrCat("--journal=", directory->path())}, .kept = directory};
  }};
}

// A front of a cluster of one member, which is started for each server.
Layer EtcdLayer() {
  return {.prepare = []() -> absl::StatusOr<LayerShare> {
    absl::StatusOr<std::unique_ptr<EtcdCluster>> cluster = EtcdCluster::Start({});
    if (!cluster.ok()) return cluster.status();
    const std::shared_ptr<EtcdCluster> kept = *std::move(cluster);
    return LayerShare{.flags = {"--engine=etcd", absl::StrCat("--etcd=", kept->endpoint(0))},
                      .kept = kept};
  }};
}

struct NamedLayer {
  absl::string_view name;
  Layer (*make)();
};

constexpr NamedLayer kLayers[] = {{"tls", &OneSidedTlsLayer},
                                  {"mtls", &MutualTlsLayer},
                                  {"token", &TokenLayer},
                                  {"journal", &JournalLayer},
                                  {"etcd", &EtcdLayer}};

absl::StatusOr<Layer> LayerNamed(absl::string_view name) {
  const auto* const found = std::find_if(std::begin(kLayers), std::end(kLayers),
                                         [&](const NamedLayer& each) { return each.name == name; });
  if (found != std::end(kLayers)) return found->make();
  return absl::InvalidArgumentError(
      absl::StrCat("no layer \"", name, "\"; there are: ", LayerNames()));
}

}  // namespace

absl::StatusOr<Layers> LayersNamed(absl::Span<const absl::string_view> names,
                                   protocol::Dialect dialect) {
  Layers all;
  for (const absl::string_view name : names) {
    absl::StatusOr<Layer> layer = LayerNamed(name);
    if (!layer.ok()) return layer.status();
    if ((all.tls != nullptr && layer->tls != nullptr) ||
        (all.token != nullptr && layer->token != nullptr)) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", name, "\" contradicts a layer before it"));
    }
    if (layer->token != nullptr && dialect != protocol::Dialect::kModern) {
      return absl::InvalidArgumentError(
          absl::StrCat("a client of that dialect has no \"", name, "\""));
    }
    all.prepare.push_back(std::move(layer->prepare));
    if (layer->tls != nullptr) all.tls = std::move(layer->tls);
    if (layer->token != nullptr) all.token = std::move(layer->token);
  }
  return all;
}

std::string LayerNames() {
  return absl::StrJoin(kLayers, ", ", [](std::string* out, const NamedLayer& each) {
    absl::StrAppend(out, each.name);
  });
}

}  // namespace rollcall::bench
