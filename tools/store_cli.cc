// Talks to a store from a shell.
#include <gflags/gflags.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/real_env.h"
#include "net/tls/tls_files.h"
#include "store/dist_error.h"
#include "store/file_store.h"
#include "store/protocol/dialect.h"
#include "store/store.h"
#include "store/tcp_store.h"
#include "tools/cli_commands.h"
#include "tools/flag_values.h"
#include "tools/status_command.h"

DEFINE_string(endpoint, "127.0.0.1:29500",
              "HOST:PORT of the store; [ADDRESS]:PORT for IPv6; tls://HOST:PORT for one with TLS; "
              "file:///PATH for a FileStore.");
DEFINE_string(ca, "",
              "With tls://, a PEM file: who may have signed the server's certificate; "
              "empty: whom this system trusts.");
DEFINE_string(cert, "", "With tls://, a PEM file: our certificate, where the server wants one.");
DEFINE_string(key, "", "A PEM file: the private key of --cert.");
DEFINE_string(server_name, "", "With tls://: whom the server's certificate is for, if not HOST.");
DEFINE_string(token_file, "", "A file with the token to show to a server that wants one.");
DEFINE_string(timeout, "10s", "How long a command may take, connecting included: 500ms, 5s, 2m.");
DEFINE_string(dialect, "modern",
              "The protocol to speak: modern (torch 2.2 and later), legacy (torch 1.x and 2.0), "
              "torch21 (torch 2.1).");
DEFINE_uint64(max_key_bytes, 8 << 10, "The server's limit on a key; raise it with the server's.");
DEFINE_uint64(max_value_bytes, 8 << 20,
              "The server's limit on a value; raise it with the server's.");
DECLARE_bool(help);

namespace rollcall::tools {
namespace {

constexpr absl::string_view kFileScheme = "file://";
constexpr absl::string_view kTlsScheme = "tls://";
constexpr int kExitUsage = 1;
constexpr int kExitStoreError = 2;
constexpr int kExitNetworkError = 3;

void PrintHelp() {
  std::cout
      << "store_cli talks to a store: rollcall's, or torch's TCPStore.\n"
         "\n"
         "  store_cli [--endpoint=HOST:PORT] [--timeout=5s] COMMAND [ARGUMENT...]\n"
         "  store_cli [--endpoint=HOST:PORT] < FILE     one command a line, # for comments,\n"
         "                                              \"...\" around words with spaces\n"
         "\n"
         "Commands:\n"
      << CommandsHelp()
      << "\n"
         "Of a server that shows itself (store_server --http_port), without --endpoint:\n"
         "  status HOST:PORT|URL       who is missing, who waits for what, the last errors\n"
         "  watch HOST:PORT|URL        the same, again and again; into a file or pipe, a line\n"
         "                             for each change\n"
         "\n"
         "Values are printed as they are; a newline follows a single value only on a terminal\n"
         "or when commands come from a file.\n"
         "\n"
         "Exit status: 0 done, 1 wrong usage, 2 the store could not do it in time (a missing\n"
         "key, an empty queue, ...), 3 the store could not be reached; of status also 4: ranks "
         "are\n"
         "missing or gone.\n"
         "\n"
         "Flags:\n"
         "  --endpoint=HOST:PORT      "
      << "default 127.0.0.1:29500\n"
         "  --timeout=DURATION        for each command, connecting included; default 10s\n"
         "  --dialect=NAME            modern (default), legacy (torch 1.x, 2.0), torch21\n"
         "  --endpoint=tls://HOST:PORT  over TLS, with\n"
         "  --ca=FILE                 PEM: who may have signed the server's certificate; default:\n"
         "                            whom this system trusts\n"
         "  --cert=FILE --key=FILE    PEM: our own, where the server wants one\n"
         "  --server_name=NAME        whom the server's certificate is for, if not HOST\n"
         "  --token_file=FILE         the token to show to a server that wants one\n"
         "  --max_key_bytes=N         the server's limits, where they were raised\n"
         "  --max_value_bytes=N\n"
         "\n"
         "Try:\n"
         "  store_server --port=29500 &\n"
         "  store_cli set greeting hello\n"
         "  store_cli get greeting\n"
         "  store_cli --timeout=1s wait somebody     # exit status 2, and says what is missing\n";
}

void Print(const CommandOutput& output, bool separate) {
  std::cout << output.text;
  if (output.is_raw_value && separate) std::cout << "\n";
  std::cout.flush();
}

int UsageError(absl::string_view message) {
  std::cerr << "store_cli: " << message << "\n";
  return kExitUsage;
}

int RunScript(Store& store) {
  std::string line;
  for (int number = 1; std::getline(std::cin, line); ++number) {
    const absl::StatusOr<std::vector<std::string>> words = SplitLine(line);
    if (!words.ok())
      return UsageError(absl::StrCat("line ", number, ": ", words.status().message()));
    if (words->empty()) continue;
    const absl::StatusOr<CommandOutput> output = RunCommand(store, *words);
    if (!output.ok()) {
      return UsageError(absl::StrCat("line ", number, ": ", output.status().message()));
    }
    Print(*output, /*separate=*/true);
  }
  return 0;
}

absl::StatusOr<std::unique_ptr<Store>> OpenStore() {
  const absl::StatusOr<absl::Duration> timeout = ParseDurationFlag("timeout", FLAGS_timeout);
  if (!timeout.ok()) return timeout.status();
  if (absl::StartsWith(FLAGS_endpoint, kFileScheme)) {
    return std::make_unique<FileStore>(net::RealEnv(), FLAGS_endpoint.substr(kFileScheme.size()),
                                       /*world_size=*/-1, *timeout);
  }
  const bool tls = absl::StartsWith(FLAGS_endpoint, kTlsScheme);
  const absl::StatusOr<net::Endpoint> endpoint = ParseEndpointFlag(
      "endpoint", tls ? FLAGS_endpoint.substr(kTlsScheme.size()) : FLAGS_endpoint);
  if (!endpoint.ok()) return endpoint.status();
  const std::optional<protocol::Dialect> dialect = protocol::ParseDialect(FLAGS_dialect);
  if (!dialect.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--dialect must be modern, legacy or torch21, got \"", FLAGS_dialect, "\""));
  }
  TcpStoreOptions options;
  options.host = endpoint->host;
  options.port = endpoint->port;
  options.timeout = *timeout;
  if (tls) {
    options.tls = net::TlsClientFiles{
        .ca = FLAGS_ca, .certificate_chain = FLAGS_cert, .private_key = FLAGS_key};
    options.tls_server_name = FLAGS_server_name;
  } else if (!FLAGS_ca.empty() || !FLAGS_cert.empty() || !FLAGS_server_name.empty()) {
    return absl::InvalidArgumentError(
        "--ca, --cert, --key and --server_name are for --endpoint=tls://HOST:PORT");
  }
  options.token_file = FLAGS_token_file;
  options.dialect = *dialect;
  options.limits.key_bytes_max = FLAGS_max_key_bytes;
  options.limits.value_bytes_max = FLAGS_max_value_bytes;
  return std::make_unique<TcpStore>(net::RealEnv(), options);
}

int LookAtServer(const std::vector<std::string>& words) {
  const absl::StatusOr<absl::Duration> timeout = ParseDurationFlag("timeout", FLAGS_timeout);
  if (!timeout.ok()) return UsageError(timeout.status().message());
  return RunStatusCommand(
      net::RealEnv(), words, *timeout,
      {.out = &std::cout, .errors = &std::cerr, .is_terminal = isatty(STDOUT_FILENO) != 0});
}

int Main(const std::vector<std::string>& words) {
  if (!words.empty() && IsStatusCommand(words[0])) return LookAtServer(words);
  // A mistyped command must not wait for a server first.
  if (!words.empty()) {
    if (absl::Status usage = CheckCommand(words); !usage.ok()) return UsageError(usage.message());
  }
  const absl::StatusOr<std::unique_ptr<Store>> store = OpenStore();
  if (!store.ok()) return UsageError(store.status().message());
  if (words.empty()) return RunScript(**store);
  const absl::StatusOr<CommandOutput> output = RunCommand(**store, words);
  if (!output.ok()) return UsageError(output.status().message());
  Print(*output, isatty(STDOUT_FILENO) != 0);
  return 0;
}

}  // namespace
}  // namespace rollcall::tools

int main(int argc, char** argv) {
  // Flags end at the first word that is none: what follows is the command's own, "add n -7" too.
  int flags_end = 1;
  while (flags_end < argc && argv[flags_end][0] == '-') {
    if (absl::string_view(argv[flags_end++]) == "--") break;
  }
  const std::vector<std::string> words(argv + flags_end, argv + argc);
  int flag_count = flags_end;
  gflags::ParseCommandLineNonHelpFlags(&flag_count, &argv, /*remove_flags=*/true);
  if (FLAGS_help) {
    rollcall::tools::PrintHelp();
    return 0;
  }
  try {
    return rollcall::tools::Main(words);
  } catch (const rollcall::DistStoreError& error) {
    std::cerr << "store_cli: " << error.what() << "\n";
    return rollcall::tools::kExitStoreError;
  } catch (const rollcall::DistNetworkError& error) {
    std::cerr << "store_cli: " << error.what() << "\n";
    return rollcall::tools::kExitNetworkError;
  } catch (const std::invalid_argument& error) {
    return rollcall::tools::UsageError(error.what());
  }
}
