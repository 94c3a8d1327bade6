// A store for whoever connects to it, until it is told to end.
#include "store/server/store_server.h"

#include <gflags/gflags.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "net/address.h"
#include "net/descriptors.h"
#include "net/real_env.h"
#include "store/http/endpoints.h"
#include "store/http/http_server.h"
#include "store/journal/journaled_engine.h"
#include "store/journal/sqlite_journal.h"
#include "store/server/server_engine.h"
#include "store/server/server_options.h"
#include "tools/json_log.h"
#include "tools/server_flags.h"

DEFINE_string(host, "", "The name or address to listen on; empty: all interfaces.");
DEFINE_int32(port, 29500, "The port to listen on; 0: the system picks one.");
DEFINE_string(port_file, "", "A file to write the port to, once the server listens.");
DEFINE_string(backend, "epoll", "The event loop: epoll or libuv.");
DEFINE_int32(io_threads, 1, "How many threads serve connections: 1 to 64.");
DEFINE_uint64(max_key_bytes, 8 << 10, "The longest key, with all its prefixes.");
DEFINE_uint64(max_value_bytes, 8 << 20, "The longest value.");
DEFINE_uint64(max_connections, 0, "How many clients at once; 0: as many as there are descriptors.");
DEFINE_uint64(max_connections_per_peer, 0, "How many clients of one address; 0: as many.");
DEFINE_string(allow, "",
              "Networks whose clients are served, such as 10.0.0.0/8,::1; empty: everybody.");
DEFINE_uint64(max_silent_connections, 65536,
              "Connections that have said nothing yet; the oldest makes way.");
DEFINE_uint64(max_unsent_bytes, 0,
              "Replies that a client has not taken; 0: as much as a request may store.");
DEFINE_string(request_timeout, "60s", "How long a client may take to say a request.");
DEFINE_string(tls_handshake_timeout, "10s", "How long a client may take for its TLS handshake.");
DEFINE_string(idle_timeout, "inf",
              "How long a client that awaits nothing may say nothing; inf: for ever.");
DEFINE_bool(legacy, true, "Serve clients without a greeting (torch before 2.2) too.");
DEFINE_string(legacy_dialect, "legacy",
              "What clients without a greeting speak: legacy (torch 1.x and 2.0) or torch21.");
DEFINE_int32(world_size, 0,
             "How many clients are expected: warns where this machine's limits are too low for "
             "them; 0: unknown.");
DEFINE_string(http_host, "127.0.0.1", "The address for --http_port; empty: all interfaces.");
DEFINE_int32(http_port, -1,
             "The port for the live page, /metrics, /healthz and /status.json; 0: the system picks "
             "one; -1: none.");
DEFINE_string(log_format, "text", "How the log on stderr is written: text or json.");
DEFINE_string(tls_cert, "", "A PEM file: the server's certificate, and those that signed it.");
DEFINE_string(tls_key, "", "A PEM file: the private key of --tls_cert.");
DEFINE_string(tls_client_ca, "",
              "A PEM file: clients must have a certificate that one of these signed.");
DEFINE_string(tls_min_version, "1.2", "The oldest version of TLS that is spoken: 1.2 or 1.3.");
DEFINE_int32(tls_port, -1,
             "A second port, which speaks TLS, while --port does not; 0: the system picks one; -1: "
             "none, --port speaks TLS if there is a --tls_cert.");
DEFINE_string(tls_host, "", "The name or address for --tls_port; empty: all interfaces.");
DEFINE_string(tls_port_file, "", "A file to write --tls_port to, once the server listens.");
DEFINE_string(token_file, "", "A file of tokens: only who shows one of them is served.");
DEFINE_string(engine, "memory", "Where the store is: memory, or etcd.");
DEFINE_string(
    etcd, "",
    "For --engine=etcd: HOST:PORT,HOST:PORT/PREFIX of etcd's members, and parameters as in "
    "an etcd:// URL.");
DEFINE_string(journal, "",
              "A directory to keep the store in, so that it outlives the server; empty: in memory "
              "alone.");
DEFINE_bool(name_space_per_token, false,
            "Clients see the keys of those alone whose token has the same name.");
DEFINE_string(listen, "",
              "More ports like --port, each with a name space of its own: NAME=HOST:PORT,...");
DEFINE_uint64(max_memory, 0, "Bytes that may be stored, in all; 0: no limit.");
DEFINE_uint64(max_memory_per_name_space, 0, "The same in each name space.");
DEFINE_uint64(max_keys_per_name_space, 0, "Keys and queues in each name space; 0: no limit.");
DEFINE_uint64(max_clients_per_name_space, 0, "Clients of each name space; 0: no limit.");
DEFINE_string(quota, "",
              "What single name spaces may have instead: NAME:memory=BYTES:keys=N:clients=N,...");
DECLARE_bool(help);

namespace rollcall::tools {
namespace {

constexpr int kExitUsage = 1;
constexpr int kExitCannotServe = 3;
constexpr int kExitJournalFailed = 4;

void PrintHelp() {
  std::cout
      << "store_server is a rendezvous store that speaks the protocol of PyTorch's TCPStore.\n"
         "\n"
         "  store_server [--host=HOST] [--port=29500] [FLAG...]\n"
         "\n"
         "It prints \"listening on HOST:PORT\" when clients can connect, and serves until\n"
         "SIGTERM or SIGINT, which tell every waiting client that it is gone.\n"
         "\n"
         "Flags:\n"
         "  --host=HOST            name or address to listen on; default: all interfaces\n"
         "  --port=PORT            default 29500; 0 lets the system pick one\n"
         "  --port_file=FILE       where to write the port, once it listens\n"
         "  --backend=NAME         event loop: epoll (default) or libuv\n"
         "  --io_threads=N         threads that serve connections, 1 to 64; default 1\n"
         "  --max_key_bytes=N      longest key, with all its prefixes; default 8192\n"
         "  --max_value_bytes=N    longest value; default 8388608\n"
         "  --max_connections=N    default 0: as many as there are descriptors\n"
         "  --max_connections_per_peer=N\n"
         "                         of one address; default 0: as many\n"
         "  --max_silent_connections=N\n"
         "                         that have said nothing yet; default 65536\n"
         "  --max_unsent_bytes=N   replies that a client has not taken; default 272629760\n"
         "  --request_timeout=TIME how long a client may take to say a request; default 60s\n"
         "  --idle_timeout=TIME    how long one that awaits nothing may say nothing; default inf\n"
         "  --nolegacy             refuse clients older than torch 2.2\n"
         "  --legacy_dialect=NAME  what those speak: legacy (torch 1.x and 2.0; default) or\n"
         "                         torch21 (torch 2.1)\n"
         "  --world_size=N         clients to expect: warns where the machine's limits are\n"
         "                         too low for them; on the page: who is missing\n"
         "  --http_port=PORT       live page, /metrics, /healthz and /status.json; 0 lets the\n"
         "                         system pick one; default: none\n"
         "  --http_host=HOST       address for them; default 127.0.0.1; \"\": all interfaces.\n"
         "                         Whoever reaches it can read the names of all awaited keys\n"
         "  --log_format=FORMAT    the log on stderr: text (default), or json, an object a line\n"
         "\n"
         "Who gets in:\n"
         "  --allow=NETWORKS       only these, such as 10.0.0.0/8,::1; default: everybody\n"
         "  --tls_cert=FILE        PEM: the server's certificate, and those that signed it; with\n"
         "  --tls_key=FILE         its private key, --port speaks TLS\n"
         "  --tls_client_ca=FILE   PEM: clients must have a certificate that one of these signed\n"
         "  --tls_min_version=V    1.2 (default) or 1.3\n"
         "  --tls_handshake_timeout=TIME\n"
         "                         how long a client may take for it; default 10s\n"
         "  --tls_port=PORT        a second port with TLS and tokens; then --port has neither, "
         "and\n"
         "                         is one of this host alone unless --host says otherwise\n"
         "  --tls_host=HOST        name or address for --tls_port; default: all interfaces\n"
         "  --tls_port_file=FILE   where to write --tls_port, once it listens\n"
         "  --token_file=FILE      NAME:TOKEN lines; who shows none of them is not served\n"
         "  --name_space_per_token clients see the keys of those alone whose token has the same\n"
         "                         name\n"
         "  --listen=NAME=HOST:PORT,...\n"
         "                         more ports like --port, each with a name space of its own\n"
         "SIGHUP has these files read anew, for clients that come from then on.\n"
         "\n"
         "Where the store is:\n"
         "  --engine=NAME          memory (default), or etcd: then this server is one of any "
         "number\n"
         "                         of fronts, and what they serve outlives them\n"
         "  --etcd=HOST:PORT,...   the members of etcd, then /PREFIX, which all fronts of one job\n"
         "                         share, and ?ttl=60s&ca=FILE&... as in an etcd:// URL\n"
         "  --journal=DIR          with the engine in memory, keep what it holds in this "
         "directory:\n"
         "                         a server that is killed and started again with it has every\n"
         "                         write that was acknowledged. One that has no journal yet must\n"
         "                         be empty or missing\n"
         "\n"
         "What may be stored; a write that needs more is refused. Default 0: no limit:\n"
         "  --max_memory=BYTES     in all\n"
         "  --max_memory_per_name_space=BYTES, --max_keys_per_name_space=N,\n"
         "  --max_clients_per_name_space=N\n"
         "                         in each name space; without the flags above there is one\n"
         "  --quota=NAME:memory=BYTES:keys=N:clients=N,...\n"
         "                         in this one instead; BYTES may end in KiB, MiB or GiB, what is\n"
         "                         not said is as in each, 0 is no limit\n"
         "\n"
         "Exit status: 0 ended by a signal, 1 wrong usage, 3 cannot listen or read the journal,\n"
         "4 the journal's disk failed or is full.\n"
         "\n"
         "Try:\n"
         "  store_server --host=127.0.0.1 --port=29500\n"
         "  store_server --port=0 --port_file=/tmp/store_port\n";
}

int UsageError(absl::string_view message) {
  std::cerr << "store_server: " << message << " (--help lists the flags)\n";
  return kExitUsage;
}

int CannotServe(absl::string_view message) {
  std::cerr << "store_server: " << message << "\n";
  return kExitCannotServe;
}

// Half a megabyte of the kernel's memory at most.
constexpr int kDescriptorsReserved = 1 << 16;

// Every client takes a descriptor, and the usual soft limit of 1024 is far below the hard one.
void RaiseDescriptorLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    PLOG(WARNING) << "cannot raise the limit of descriptors to " << limit.rlim_max;
  }
  net::ReserveDescriptors(kDescriptorsReserved);
}

// Under its own name only when it is whole: whoever waits for the file must never read half of it.
absl::Status WritePortFile(absl::string_view flag, const std::string& path, uint16_t port) {
  const std::string unfinished = absl::StrCat(path, ".", getpid(), ".unfinished");
  std::ofstream file(unfinished);
  file << port << "\n";
  file.close();
  if (file && std::rename(unfinished.c_str(), path.c_str()) == 0) return absl::OkStatus();
  const int error = errno;
  std::remove(unfinished.c_str());
  return absl::UnavailableError(
      absl::StrCat("cannot write --", flag, "=", path, ": ", std::strerror(error)));
}

ServerFlags FlagsGiven() {
  ServerFlags flags;
  flags.host = FLAGS_host;
  flags.port = FLAGS_port;
  flags.backend = FLAGS_backend;
  flags.io_threads = FLAGS_io_threads;
  flags.max_key_bytes = FLAGS_max_key_bytes;
  flags.max_value_bytes = FLAGS_max_value_bytes;
  flags.max_connections = FLAGS_max_connections;
  flags.max_connections_per_peer = FLAGS_max_connections_per_peer;
  flags.allow = FLAGS_allow;
  flags.max_silent_connections = FLAGS_max_silent_connections;
  flags.max_unsent_bytes = FLAGS_max_unsent_bytes;
  flags.request_timeout = FLAGS_request_timeout;
  flags.tls_handshake_timeout = FLAGS_tls_handshake_timeout;
  flags.idle_timeout = FLAGS_idle_timeout;
  flags.legacy = FLAGS_legacy;
  flags.legacy_dialect = FLAGS_legacy_dialect;
  flags.world_size = FLAGS_world_size;
  flags.http_host = FLAGS_http_host;
  flags.http_port = FLAGS_http_port;
  flags.tls_cert = FLAGS_tls_cert;
  flags.tls_key = FLAGS_tls_key;
  flags.tls_client_ca = FLAGS_tls_client_ca;
  flags.tls_min_version = FLAGS_tls_min_version;
  flags.tls_port = FLAGS_tls_port;
  flags.tls_host = FLAGS_tls_host;
  flags.token_file = FLAGS_token_file;
  flags.engine = FLAGS_engine;
  flags.etcd = FLAGS_etcd;
  flags.name_space_per_token = FLAGS_name_space_per_token;
  flags.listen = FLAGS_listen;
  flags.max_memory = FLAGS_max_memory;
  flags.max_memory_per_name_space = FLAGS_max_memory_per_name_space;
  flags.max_keys_per_name_space = FLAGS_max_keys_per_name_space;
  flags.max_clients_per_name_space = FLAGS_max_clients_per_name_space;
  flags.quota = FLAGS_quota;
  return flags;
}

// The signals that tell the server something, blocked: in this thread and in all that it starts, so
// that only sigwait gets them.
sigset_t BlockSignals(bool reloads) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  // A server that has nothing to read anew ends with its terminal, as any program.
  if (reloads) sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// `engine`, or one with a journal if the flag asks for it. `*failed` is set, and the server told to
// end, when the journal fails.
ServerEngineFactory WithJournal(const ServerEngineFactory& engine, const ServerOptions& server,
                                std::atomic<bool>* failed) {
  if (FLAGS_journal.empty()) return engine;
  JournaledEngineOptions options;
  options.limits = server.store_limits;
  options.open_journal = [] { return OpenSqliteJournal({.directory = FLAGS_journal}); };
  options.on_failure = [failed](const absl::Status& /*why*/) {
    *failed = true;
    // To the process, so that sigwait gets it.
    kill(getpid(), SIGTERM);
  };
  return NewJournaledEngine(std::move(options));
}

void Reload(StoreServer& server) {
  const absl::Status reloaded = server.Reload();
  if (reloaded.ok()) {
    LOG(INFO) << "SIGHUP: certificates and tokens were read anew";
  } else {
    LOG(ERROR) << "SIGHUP: going on with the certificates and tokens of before: "
               << std::string(reloaded.message());
  }
}

// The signal that ended it.
int ServeUntilEnded(StoreServer& server, const sigset_t& signals) {
  while (true) {
    int signal_number = 0;
    sigwait(&signals, &signal_number);
    if (signal_number != SIGHUP) return signal_number;
    Reload(server);
  }
}

int Main() {
  const ServerFlags flags = FlagsGiven();
  const absl::StatusOr<ServerOptions> options = OptionsOf(flags);
  if (!options.ok()) return UsageError(options.status().message());
  const absl::StatusOr<std::optional<http::HttpServerOptions>> http_options = HttpOptionsOf(flags);
  if (!http_options.ok()) return UsageError(http_options.status().message());
  const absl::StatusOr<ServerEngineFactory> engine = EngineOf(flags);
  if (!engine.ok()) return UsageError(engine.status().message());
  if (FLAGS_log_format != "text" && FLAGS_log_format != "json") {
    return UsageError(absl::StrCat("--log_format=", FLAGS_log_format, ": must be text or json"));
  }
  std::optional<JsonLog> json_log;
  if (FLAGS_log_format == "json") json_log.emplace();
  const bool reloads = options->HasTls() || !options->token_file.empty();
  const sigset_t signals = BlockSignals(reloads);
  RaiseDescriptorLimit();
  if (!FLAGS_journal.empty() && FLAGS_engine != "memory") {
    return UsageError("--journal is for --engine=memory: etcd keeps what it holds by itself");
  }

  std::atomic<bool> journal_failed = false;
  absl::StatusOr<std::unique_ptr<StoreServer>> started =
      StoreServer::Start(net::RealEnv(), *options, WithJournal(*engine, *options, &journal_failed));
  if (!started.ok()) return CannotServe(started.status().message());
  StoreServer& server = **started;
  http::Endpoints endpoints(&net::RealEnv(), &server);
  std::unique_ptr<http::HttpServer> http_server;
  if (http_options->has_value()) {
    absl::StatusOr<std::unique_ptr<http::HttpServer>> http_started = http::HttpServer::Start(
        net::RealEnv(), **http_options,
        [&endpoints](const http::Request& request) { return endpoints.Answer(request); });
    if (!http_started.ok()) {
      return CannotServe(absl::StrCat("cannot listen on --http_port=", FLAGS_http_port, ": ",
                                      http_started.status().message()));
    }
    http_server = *std::move(http_started);
  }
  if (!FLAGS_port_file.empty()) {
    const absl::Status written = WritePortFile("port_file", FLAGS_port_file, server.port());
    if (!written.ok()) return CannotServe(written.message());
  }
  if (!FLAGS_tls_port_file.empty() && server.tls_port().has_value()) {
    const absl::Status written =
        WritePortFile("tls_port_file", FLAGS_tls_port_file, *server.tls_port());
    if (!written.ok()) return CannotServe(written.message());
  }
  if (server.tls_port().has_value()) {
    std::cout << "listening with TLS on " << server.tls_address() << "\n";
  }
  const std::vector<net::SocketAddress> more = server.name_space_addresses();
  for (size_t i = 0; i < more.size(); ++i) {
    std::cout << "listening for " << options->name_space_ports[i].name_space << " on "
              << more[i].ToString() << "\n";
  }
  std::cout << "listening on " << server.address() << std::endl;
  if (http_server != nullptr) {
    std::cout << "status at http://" << http_server->address().ToString() << "/" << std::endl;
  }

  const int signal_number = ServeUntilEnded(server, signals);
  const ServerStats stats = server.stats();
  LOG(INFO) << strsignal(signal_number) << ": closing " << stats.connections << " connections, "
            << stats.waiting_clients << " of them waiting, after " << stats.requests
            << " requests on " << stats.connections_accepted;
  // It asks the server.
  http_server.reset();
  server.Stop();
  return journal_failed ? kExitJournalFailed : 0;
}

}  // namespace
}  // namespace rollcall::tools

int main(int argc, char** argv) {
  // Flags of glog may still say otherwise.
  FLAGS_logtostderr = true;
  gflags::ParseCommandLineNonHelpFlags(&argc, &argv, /*remove_flags=*/true);
  if (FLAGS_help) {
    rollcall::tools::PrintHelp();
    return 0;
  }
  if (argc > 1) {
    return rollcall::tools::UsageError(
        absl::StrCat("takes no arguments besides flags, got \"", argv[1], "\""));
  }
  google::InitGoogleLogging(argv[0]);
  signal(SIGPIPE, SIG_IGN);  // Whoever reads its output may go first.
  signal(SIGXFSZ, SIG_IGN);  // A file that may not grow is a journal's error, and told as such.
  return rollcall::tools::Main();
}
