// A TCP socket of the simulated kernel. Private to the simulated network: everybody else sees it
// through SimKernel's system calls.
//
// Packets, not messages: what a socket sends stays queued until the other kernel has it, travels
// under the link's latency and rate, is lost where the link is cut and sent again by the kernel's
// timers. Since both ends live in one process, what only confirms (ACKs, window updates, keep-alive
// on a sound path) is not sent but known; timers exist only where something is lost.
#ifndef ROLLCALL_FAULT_INJECTION_SIM_TCP_H_
#define ROLLCALL_FAULT_INJECTION_SIM_TCP_H_

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fault_injection/scheduler.h"
#include "fault_injection/sim_address.h"
#include "fault_injection/sim_file.h"
#include "fault_injection/sim_packet.h"
#include "fault_injection/sim_ports.h"

namespace rollcall::fault {

class SimFabric;
class SimHost;

enum class TcpState : uint8_t { kClosed, kListen, kSynSent, kSynReceived, kEstablished };

// What accepted sockets inherit from their listener, beside what PortHolder has.
struct TcpOptions {
  bool keep_alive = false;
  bool no_delay = false;
  bool lingers = false;
  int linger_s = 0;
  int keep_idle_s = 7200;
  int keep_interval_s = 75;
  int keep_probes = 9;
  int user_timeout_ms = 0;
  int receive_low_water = 1;
  absl::Duration receive_timeout = absl::InfiniteDuration();
  absl::Duration send_timeout = absl::InfiniteDuration();
  size_t send_buffer_bytes = 0;
  size_t receive_buffer_bytes = 0;
};

class TcpSocket final : public SimFile, public PortHolder {
 public:
  TcpSocket(SimHost* host, int family);
  ~TcpSocket() override;

  // --- System calls: 0 or more, or -errno (sim_tcp_calls.cc, sim_tcp_transfer.cc) ---
  int Bind(const sockaddr* address, socklen_t length_bytes);
  int Listen(int backlog);
  // The connection, or null with *result set to -errno. Blocks unless non-blocking.
  TcpSocket* Accept(int* result);
  // `in_background`: as if non-blocking.
  int Connect(const sockaddr* address, socklen_t length_bytes, bool in_background);
  ssize_t Recv(char* buffer, size_t size_bytes, int flags);
  // After a Recv that was made to take less than it could: a kernel gives that little only if the
  // rest comes afterwards (epoll(7)), which is news to who waits for news.
  void AnnounceRest();
  ssize_t Send(absl::Span<const iovec> parts, size_t size_bytes_max, int flags);
  int Shutdown(int how);
  int PeerName(IpEndpoint* peer) const;
  // sim_tcp_options.cc
  int GetOption(int level, int name, void* value, socklen_t* length_bytes);
  int SetOption(int level, int name, const void* value, socklen_t length_bytes);

  uint32_t Readiness() override;
  int family() const { return is_v6 ? AF_INET6 : AF_INET; }
  TcpState state() const { return state_; }
  SimHost& host() { return host_; }
  SimHost* remote_host() { return remote_host_; }
  size_t buffered_bytes() const { return received_.size_bytes() + queued_bytes_; }
  bool IsConnected() const { return state_ == TcpState::kEstablished; }

  // --- For the network (sim_tcp_packets.cc, sim_tcp_timers.cc) ---
  // The process and its kernel are gone; nothing is said to anybody.
  void Vanish();
  // A reset that neither end sent.
  void Reset();
  // The path to the peer, or the peer's host, has changed.
  void OnPathChanged();
  // What an earlier packet or timer left to do; run by the network at its time.
  enum class Task : uint8_t { kDeliver, kReset, kUnreachable, kWindow, kRetransmit, kKeepAlive };
  void Run(Task task);
  // Nothing refers to it and nothing of its is on the way.
  bool IsGarbage() const;

 private:
  friend class SimFabric;

  static constexpr size_t kTaskCount = static_cast<size_t>(Task::kKeepAlive) + 1;
  // How far the socket layer above TCP has come (SS_* in Linux).
  enum class Layer : uint8_t { kUnconnected, kConnecting, kConnected };

  struct ListenState {
    bool is_full() const { return accept_queue.size() > backlog; }

    size_t backlog = 0;
    std::deque<TcpSocket*> accept_queue;
    std::vector<TcpSocket*> half_open;  // Their SYN-ACK is not answered yet.
  };

  // --- Calls ---
  void OnLastReference() override;
  int CheckLocal(const IpEndpoint& wanted) const;
  int BindLocal(const IpEndpoint& wanted);
  int StartConnect(IpEndpoint to);
  int ChooseSource();
  int WaitForConnect(bool in_background);
  int FinishConnect();
  int SendWithoutConnection(bool blocks, absl::Time deadline);
  size_t CopyIn(absl::Span<const iovec> parts, size_t from_byte, size_t size_bytes);
  size_t Shorten(absl::string_view site, size_t size_bytes);
  size_t DrawShorter(absl::string_view site, size_t size_bytes);
  int TakeError();
  void CloseListener();
  void Unbind();
  bool IsWritable() const { return 3 * queued_bytes_ <= 2 * options_.send_buffer_bytes; }

  // --- Sending ---
  void SendControl(PacketKind kind);
  void SendFin();
  void SendReset();
  void PushUnsent();
  bool WindowIsOpen() const;
  void Launch(Packet* packet);
  void HearUnreachable();
  void DeliverDue();
  // False: lost on the way, or not taken.
  bool HandOver(Packet* packet);
  // `has_left`: it was the first of those on the way. Else they are earlier ones, and go on.
  void OnLost(Packet* packet, bool has_left);
  void LoseFlight(PacketQueue& lost);
  void OnDelivered(PacketKind kind, size_t size_bytes);
  void OnAcknowledged();
  void OnWindow();

  // --- Receiving ---
  bool OnSyn();  // On the connecting socket, when its SYN is at the other host.
  void StartChild(TcpSocket* listener);
  bool OnPacket(Packet* packet);
  bool OnData(Packet* packet);
  void OnSynAck();
  bool OnFin();
  void OnReset();
  bool CompleteHandshake();
  void LeaveListener();
  void OpenWindow();
  // The other kernel knows nothing of this connection and says so.
  void AnswerWithReset();
  void Establish();
  void FinishBothSides();
  void Abort(int errno_value);
  void EnterClosed();

  // --- Timers ---
  void Schedule(Task task, absl::Time when);
  void Cancel(Task task);
  bool IsScheduled(Task task) const { return is_scheduled_[static_cast<size_t>(task)]; }
  void ScheduleRetransmit();
  void OnRetransmitTimer();
  void RetransmitSyn();
  void RetransmitSynAck();
  void RetransmitData();
  void ObserveRepetition();
  void OnKeepAliveTimer();
  void AwaitPeersFin();
  bool PathIsSound();
  absl::Duration user_timeout() const { return absl::Milliseconds(options_.user_timeout_ms); }

  SimHost& host_;
  SimFabric& fabric_;
  SimHost* remote_host_ = nullptr;
  TcpSocket* peer_ = nullptr;  // The other end, for as long as it exists.

  TcpState state_ = TcpState::kClosed;
  Layer layer_ = Layer::kUnconnected;
  uint8_t shutdown_ = 0;       // kReceiveShut | kSendShut.
  bool fin_received_ = false;  // SOCK_DONE.
  bool fin_sent_ = false;
  bool fin_delivered_ = false;
  bool closes_first_ = false;  // Our FIN was on its way before the peer's came.
  int error_ = 0;
  int soft_error_ = 0;
  TcpOptions options_;

  std::unique_ptr<ListenState> listen_;  // While it listens.
  TcpSocket* listener_ = nullptr;        // Whose listen_ this is in.

  // Receiving.
  PacketQueue received_;
  absl::Time last_heard_ = absl::InfinitePast();
  std::string receive_label_;  // What a blocked recv is shown to wait for.

  // Sending.
  PacketQueue unsent_;
  PacketQueue flight_;
  size_t queued_bytes_ = 0;       // Sent, and not known to have arrived.
  size_t acknowledged_late_ = 0;  // To be taken off queued_bytes_ when the news is here.
  size_t unacknowledged_ = 0;     // Arrived, but the news of it was lost.
  absl::Time last_arrival_ = absl::InfinitePast();
  bool lacks_space_ = false;  // Somebody waits to write.
  bool is_stalled_ = false;   // The peer's window is closed.
  bool is_resending_ = false;

  // Timers.
  std::array<EventId, kTaskCount> events_ = {};
  std::array<bool, kTaskCount> is_scheduled_ = {};
  int retransmits_ = 0;
  absl::Duration retransmit_delay_ = absl::ZeroDuration();
  absl::Time first_retransmit_ = absl::InfinitePast();
  absl::Time syn_sent_ = absl::InfinitePast();
  int keep_alive_probes_ = 0;

  size_t registry_index_ = 0;  // The fabric's own.
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SIM_TCP_H_
