// What store_cli can do, apart from flags and streams: commands on any Store.
#ifndef ROLLCALL_TOOLS_CLI_COMMANDS_H_
#define ROLLCALL_TOOLS_CLI_COMMANDS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/store.h"

namespace rollcall::tools {

struct CommandOutput {
  std::string text;
  // True for a single value: written to a file, it must be the value and nothing else.
  bool is_raw_value = false;
};

// InvalidArgument for a command that does not exist (with a suggestion) or has the wrong number of
// arguments (with its usage).
absl::Status CheckCommand(absl::Span<const std::string> words);

// Runs one command ("set", "k", "v") on `store`. InvalidArgument as CheckCommand, and for arguments
// that are not what they should be. Raises what the store raises.
absl::StatusOr<CommandOutput> RunCommand(Store& store, absl::Span<const std::string> words);

// Splits a line of a script into words: at white space, except in double quotes, in which the
// escapes of C hold ("a b", "\x00"). A word that begins with # ends the line. InvalidArgument for
// an open quote or a bad escape.
absl::StatusOr<std::vector<std::string>> SplitLine(absl::string_view line);

// One line a command, for --help.
std::string CommandsHelp();

}  // namespace rollcall::tools

#endif  // ROLLCALL_TOOLS_CLI_COMMANDS_H_
