#include "fault_injection/report/picture_content.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fault_injection/report/picture_bands.h"
#include "fault_injection/report/report_text.h"

namespace rollcall::fault {
namespace {

// A message, or the beginning or end of a step.
struct Item {
  absl::Duration at;
  bool is_step = false;
  size_t index = 0;
  bool is_anchor = false;  // What the reader looks for.
  size_t distance = 0;     // To the nearest anchor, in items.
  bool is_kept = true;
};

bool IsDrawn(const RunRecord::Message& message) {
  return message.is_lost ||
         (message.kind != PacketKind::kSynAck && message.kind != PacketKind::kAck);
}

class Chooser {
 public:
  Chooser(const RunRecord& record, const PictureLimits& limits)
      : record_(record), limits_(limits) {}

  PictureContent Choose() {
    ChooseHosts();
    ChooseFaults();
    CollectItems();
    if (items_.size() > limits_.items_max) {
      MeasureDistances();
      KeepTheNearest();
    }
    TakeKept();
    for (PictureBand& band : MergeBands(record_)) {
      if (drawn_.count(band.host) > 0) content_.bands.push_back(std::move(band));
    }
    if (record_.messages_dropped > 0) {
      content_.remarks.push_back(absl::StrCat(
          "The first ", Count(record_.messages_dropped, "message"), " of the run were not kept."));
    }
    return std::move(content_);
  }

 private:
  // Where there are too many: those that something happened to, then the busiest.
  void ChooseHosts() {
    std::vector<uint64_t> weights(record_.hosts.size());
    for (const RunRecord::Message& message : record_.messages) {
      weights[message.from] += message.is_lost ? 1000 : 1;
      weights[message.to] += message.is_lost ? 1000 : 1;
    }
    constexpr uint64_t kTroubled = uint64_t{1} << 40;
    for (const RunRecord::Fault& fault : record_.faults) {
      for (const int host : fault.hosts) weights[host] += kTroubled;
    }
    for (const RunRecord::Step& step : record_.steps) {
      if (!step.is_ok) weights[step.host] += kTroubled;
    }
    std::vector<int> hosts(record_.hosts.size());
    std::iota(hosts.begin(), hosts.end(), 0);
    std::stable_sort(hosts.begin(), hosts.end(),
                     [&](int a, int b) { return weights[a] > weights[b]; });
    if (hosts.size() > limits_.hosts_max) {
      content_.remarks.push_back(
          absl::StrCat(Count(hosts.size() - limits_.hosts_max, "host"), " of ", hosts.size(),
                       ", and what they sent and were sent, are not drawn."));
      hosts.resize(limits_.hosts_max);
    }
    drawn_.insert(hosts.begin(), hosts.end());
    content_.hosts.assign(drawn_.begin(), drawn_.end());
  }

  // Where there are too many: the first and the last.
  void ChooseFaults() {
    const size_t count = record_.faults.size();
    for (size_t i = 0; i < count; ++i) {
      const bool is_near_an_end = i < limits_.faults_max / 2 || count - i <= limits_.faults_max / 2;
      if (count <= limits_.faults_max || is_near_an_end) content_.faults.push_back(i);
    }
    if (content_.faults.size() < count) {
      content_.remarks.push_back(absl::StrCat(Count(count - content_.faults.size(), "fault"),
                                              " of ", count,
                                              " are not drawn: only the first and the last."));
    }
  }

  void CollectItems() {
    size_t hidden = 0;
    for (size_t i = 0; i < record_.messages.size(); ++i) {
      const RunRecord::Message& message = record_.messages[i];
      if (drawn_.count(message.from) == 0 || drawn_.count(message.to) == 0) continue;
      if (IsDrawn(message)) {
        items_.push_back({message.sent, /*is_step=*/false, i, message.is_lost});
      } else {
        ++hidden;
      }
    }
    for (size_t i = 0; i < record_.steps.size(); ++i) {
      const RunRecord::Step& step = record_.steps[i];
      if (drawn_.count(step.host) == 0) continue;
      items_.push_back({step.begin, /*is_step=*/true, i, !step.is_ok});
      if (step.end != step.begin) items_.push_back({step.end, /*is_step=*/true, i, !step.is_ok});
    }
    std::stable_sort(items_.begin(), items_.end(),
                     [](const Item& a, const Item& b) { return a.at < b.at; });
    if (hidden > 0) {
      content_.remarks.push_back("SYN-ACKs and ACKs are drawn only where they were lost.");
    }
  }

  void MeasureDistances() {
    for (const size_t fault : content_.faults) {
      const auto next =
          std::lower_bound(items_.begin(), items_.end(), record_.faults[fault].at,
                           [](const Item& item, absl::Duration at) { return item.at < at; });
      if (next != items_.end()) next->is_anchor = true;
    }
    items_.back().is_anchor = true;
    size_t distance = items_.size();
    for (Item& item : items_) {
      distance = item.is_anchor ? 0 : distance + 1;
      item.distance = distance;
    }
    distance = items_.size();
    for (auto item = items_.rbegin(); item != items_.rend(); ++item) {
      distance = item->is_anchor ? 0 : distance + 1;
      item->distance = std::min(item->distance, distance);
    }
  }

  void KeepTheNearest() {
    std::vector<size_t> order(items_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return items_[a].distance < items_[b].distance; });
    for (size_t i = limits_.items_max; i < order.size(); ++i) items_[order[i]].is_kept = false;
  }

  void TakeKept() {
    std::set<size_t> steps;
    for (const Item& item : items_) {
      if (item.is_kept && item.is_step) steps.insert(item.index);
    }
    std::set<size_t> omitted_steps;
    bool follows_omission = false;
    for (const Item& item : items_) {
      const bool is_drawn = item.is_kept || (item.is_step && steps.count(item.index) > 0);
      if (is_drawn && !item.is_step) content_.messages.push_back(item.index);
      if (item.is_kept) follows_omission = false;
      if (is_drawn) continue;
      if (!std::exchange(follows_omission, true)) {
        content_.omissions.push_back({item.at, item.at});
      }
      PictureContent::Omission& omission = content_.omissions.back();
      omission.end = item.at;
      if (!item.is_step) ++omission.messages;
      if (item.is_step && omitted_steps.insert(item.index).second) ++omission.steps;
    }
    content_.steps.assign(steps.begin(), steps.end());
    if (content_.omissions.empty()) return;
    content_.remarks.push_back(absl::StrCat("Only what surrounds faults and failures is drawn: ",
                                            Count(content_.messages.size(), "message"), " and ",
                                            Count(content_.steps.size(), "step"), "."));
  }

  const RunRecord& record_;
  const PictureLimits& limits_;
  PictureContent content_;
  std::set<int> drawn_;
  std::vector<Item> items_;
};

}  // namespace

std::string OmissionText(const PictureContent::Omission& omission) {
  std::vector<std::string> parts;
  if (omission.messages > 0) parts.push_back(Count(omission.messages, "message"));
  if (omission.steps > 0) parts.push_back(Count(omission.steps, "step"));
  return absl::StrCat("left out: ", absl::StrJoin(parts, " and "), " until ",
                      FormatSeconds(omission.end), " s");
}

PictureContent ChoosePicture(const RunRecord& record, const PictureLimits& limits) {
  return Chooser(record, limits).Choose();
}

}  // namespace rollcall::fault
