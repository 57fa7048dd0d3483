#include "server/settings/settings.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <type_traits>
#include <utility>

#include "crypto/base/status_macros.h"
#include "server/admin/connection_string.h"

namespace parley::server {
namespace {

constexpr std::string_view kMain = "Options";
constexpr std::string_view kLimits = "Limits";
constexpr uint64_t kDay = 24 * 60 * 60;

// Errors: InvalidArgument.
absl::StatusOr<uint64_t> ParseNumber(const std::string& text, uint64_t least, uint64_t most) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc() && rest == end && number >= least && number <= most) return number;
  return absl::InvalidArgumentError("\"" + text + "\" is no whole number from " +
                                    std::to_string(least) + " to " + std::to_string(most));
}

absl::StatusOr<uint64_t> ParseSize(const std::string& text, uint64_t least) {
  PARLEY_ASSIGN_OR_RETURN(uint64_t size, ParseByteSize(text));
  if (size >= least) return size;
  return absl::InvalidArgumentError("\"" + text + "\" is too little: it takes " +
                                    FormatByteSize(least) + " at least");
}

// As ParseByteSize reads it, exactly.
std::string FormatExactly(uint64_t bytes) {
  constexpr std::string_view kUnits[] = {"TiB", "GiB", "MiB", "KiB"};
  int shift = 40;
  for (const std::string_view unit : kUnits) {
    if (bytes != 0 && bytes % (uint64_t{1} << shift) == 0) {
      return std::to_string(bytes >> shift) + std::string(unit);
    }
    shift -= 10;
  }
  return std::to_string(bytes);
}

Setting Path(std::string_view name, std::string_view value, std::string_view about,
             std::string Settings::*member) {
  return {name,
          value,
          about,
          kMain,
          Setting::Kind::kPath,
          [member](const std::string& text, Settings& settings) {
            if (text.empty()) return absl::InvalidArgumentError("the path is empty");
            settings.*member = text;
            return absl::OkStatus();
          },
          [member](const Settings& settings) { return settings.*member; },
          nullptr};
}

// What Setting::change does for a member; nothing for one that isn't Live.
template <typename T>
std::function<void(const Settings&, const Limits&)> Changer(T Limits::*member) {
  if constexpr (std::is_arithmetic_v<T>) {
    return nullptr;
  } else {
    return [member](const Settings& settings, const Limits& running) {
      (running.*member).Change(settings.limits.*member);
    };
  }
}

// `unit`: what one of the number is of the member, like the seconds of a day.
template <typename T>
Setting Number(std::string_view name, std::string_view about, T Limits::*member, uint64_t least,
               uint64_t most, uint64_t unit = 1) {
  return {name,
          "N",
          about,
          kLimits,
          Setting::Kind::kNumber,
          [=](const std::string& text, Settings& settings) {
            PARLEY_ASSIGN_OR_RETURN(uint64_t number, ParseNumber(text, least, most));
            settings.limits.*member = static_cast<T>(number * unit);
            return absl::OkStatus();
          },
          [=](const Settings& settings) {
            return std::to_string(static_cast<uint64_t>(settings.limits.*member) / unit);
          },
          Changer(member)};
}

template <typename T>
Setting Size(std::string_view name, std::string_view about, T Limits::*member, uint64_t least) {
  return {name,
          "SIZE",
          about,
          kLimits,
          Setting::Kind::kSize,
          [=](const std::string& text, Settings& settings) {
            PARLEY_ASSIGN_OR_RETURN(uint64_t size, ParseSize(text, least));
            settings.limits.*member = static_cast<T>(size);
            return absl::OkStatus();
          },
          [=](const Settings& settings) { return FormatExactly(settings.limits.*member); },
          Changer(member)};
}

Setting YesNo(std::string_view name, std::string_view about, bool Settings::*member) {
  return {name,
          "true|false",
          about,
          kMain,
          Setting::Kind::kYesNo,
          [member](const std::string& text, Settings& settings) {
            if (text != "true" && text != "false") {
              return absl::InvalidArgumentError("\"" + text + "\" is neither true nor false");
            }
            settings.*member = text == "true";
            return absl::OkStatus();
          },
          [member](const Settings& settings) {
            return std::string(settings.*member ? "true" : "false");
          },
          nullptr};
}

std::vector<Setting> MainSettings() {
  return {
      Path("data", "DIR", "The relay's data folder (needed); it is made at the first start",
           &Settings::data),
      {"listen", "ADDR:PORT",
       "Where to listen (needed): 0.0.0.0:7743, [::]:7743 for IPv6 too; port 0 lets the system "
       "choose",
       kMain, Setting::Kind::kText,
       [](const std::string& text, Settings& settings) {
         PARLEY_RETURN_IF_ERROR(ParseHostAndPort(text).status());
         settings.listen = text;
         return absl::OkStatus();
       },
       [](const Settings& settings) { return settings.listen; }, nullptr},
      Path("cert", "FILE", "A publicly trusted certificate with its chain, PEM (default: its own)",
           &Settings::cert),
      Path("key", "FILE", "The certificate's private key, PEM", &Settings::key),
      {"drain-seconds", "N", "How long calls under way may take when it ends (default: 10)", kMain,
       Setting::Kind::kNumber,
       [](const std::string& text, Settings& settings) {
         PARLEY_ASSIGN_OR_RETURN(settings.drain_seconds, ParseNumber(text, 0, 3600));
         return absl::OkStatus();
       },
       [](const Settings& settings) { return std::to_string(settings.drain_seconds); }, nullptr},
  };
}

// Only addresses that are this machine's alone: names may be anybody's.
bool IsLoopback(const std::string& host) { return host == "::1" || host.starts_with("127."); }

std::vector<Setting> MetricsSettings() {
  return {
      {"metrics", "ADDR:PORT", "Where to serve metrics to Prometheus, like 127.0.0.1:9743", kMain,
       Setting::Kind::kText,
       [](const std::string& text, Settings& settings) {
         PARLEY_RETURN_IF_ERROR(ParseHostAndPort(text).status());
         settings.metrics = text;
         return absl::OkStatus();
       },
       [](const Settings& settings) { return settings.metrics; }, nullptr},
      YesNo("metrics-anywhere",
            "Let it be an address that others can reach: whoever does sees them (default: false)",
            &Settings::metrics_anywhere),
  };
}

std::vector<Setting> ServiceSettings() {
  return {
      {"log-format", "text|json", "What its log's lines are: text or JSON objects (default: text)",
       kMain, Setting::Kind::kText,
       [](const std::string& text, Settings& settings) {
         if (text != "text" && text != "json") {
           return absl::InvalidArgumentError("\"" + text + "\" is neither text nor json");
         }
         settings.log_format = text == "json" ? LogFormat::kJson : LogFormat::kText;
         return absl::OkStatus();
       },
       [](const Settings& settings) {
         return std::string(settings.log_format == LogFormat::kJson ? "json" : "text");
       },
       nullptr},
      YesNo("reflection",
            "Tell tools like grpcurl, when they ask, which calls there are (default: false)",
            &Settings::reflection),
      {"purge-hours", "N",
       "How often what was deleted is removed from the files; 0: never (default: 168)", kMain,
       Setting::Kind::kNumber,
       [](const std::string& text, Settings& settings) {
         PARLEY_ASSIGN_OR_RETURN(settings.purge_hours, ParseNumber(text, 0, 8784));
         return absl::OkStatus();
       },
       [](const Settings& settings) { return std::to_string(settings.purge_hours); }, nullptr},
  };
}

void CheckMetrics(GatheredSettings& gathered) {
  const Settings& settings = gathered.settings;
  if (settings.metrics.empty() || settings.metrics_anywhere) return;
  if (IsLoopback(ParseHostAndPort(settings.metrics).value_or(HostAndPort()).host)) return;
  gathered.problems.push_back(
      gathered.sources["metrics"] + ": metrics: others can reach " + settings.metrics +
      ", and there is neither key nor password: use 127.0.0.1, or set metrics-anywhere to true");
}

// Those without a key leave others some places.
void BoundUnproven(GatheredSettings& gathered) {
  Limits& limits = gathered.settings.limits;
  const size_t all = limits.max_connections;
  const auto source = gathered.sources.find("max-unproven-connections");
  if (source == gathered.sources.end()) {
    limits.max_unproven_connections =
        std::clamp<size_t>(all / 2, 1, limits.max_unproven_connections);
  } else if (limits.max_unproven_connections >= all && all > 1) {
    const std::string set = std::to_string(size_t{limits.max_unproven_connections});
    const std::string name =
        source->second.starts_with("--") ? "" : source->first + ": ";  // a flag is its name
    gathered.problems.push_back(source->second + ": " + name + set + " of all " +
                                std::to_string(all) +
                                " connections (max-connections) would leave members none: set "
                                "less");
  }
}

std::vector<Setting> LimitSettings() {
  constexpr uint64_t kMany = 1'000'000'000'000;
  return {
      Number("max-connections", "How many connections it takes at once (default: 2048)",
             &Limits::max_connections, 1, 1'000'000),
      Number("max-connections-per-address",
             "How many of them from one address, or one IPv6 network (default: 256)",
             &Limits::max_connections_per_address, 1, 1'000'000),
      Number(
          "max-unproven-connections",
          "How many of all on which no key was shown yet, handshakes included; beyond, the one "
          "that has been so for longest is ended (default: 1024); less than max-connections, and "
          "half of that at most where it isn't set",
          &Limits::max_unproven_connections, 1, 1'000'000),
      Number("address-connections-per-second",
             "New ones a second from an address, or an IPv6 network, those of ten seconds at once; "
             "one on which a key is shown doesn't count; 0: any number (default: 64)",
             &Limits::address_connections_per_second, 0, 1'000'000),
      Number(
          "connections-per-second",
          "New ones a second from all addresses together, those of ten seconds at once, of which "
          "half are for addresses from which a key was shown; one on which a key is shown "
          "doesn't count; 0: any number (default: 100)",
          &Limits::connections_per_second, 0, 1'000'000),
      Number("barred-seconds",
             "How long none is taken from an address one of whose connections was ended for "
             "calling on without waiting before it had shown a key, which hits all behind that "
             "address; 0: not at all (default: 10)",
             &Limits::barred_seconds, 0, 3600),
      Number("max-streams",
             "How many subscriptions, uploads, downloads and streams of appends at once in all "
             "(default: 16384)",
             &Limits::max_open_streams, 1, 10'000'000),
      Number("max-streams-per-connection", "How many calls at once on a connection (default: 128)",
             &Limits::max_streams_per_connection, 1, 100'000),
      Number("max-mailboxes-per-subscription", "How many one subscription follows (default: 4096)",
             &Limits::max_mailboxes_per_subscription, 1, 1'000'000),
      Number("unproven-stream-seconds",
             "How long a stream may stay open before its client shows a key (default: 30)",
             &Limits::unproven_stream_seconds, 1, 3600),
      Number("connection-calls-per-second",
             "Calls a second on a connection, those of ten seconds at once; one that has a "
             "signature checked counts as ten; 0: any number (default: 2000)",
             &Limits::connection_calls_per_second, 0, 1'000'000),
      Number("address-calls-per-second",
             "Calls a second without a session's token from an address, or an IPv6 network; 0: any "
             "number (default: 2000)",
             &Limits::address_calls_per_second, 0, 1'000'000),
      Number("session-calls-per-second",
             "Of them, those with one session's token; 0: any number (default: 500)",
             &Limits::session_calls_per_second, 0, 1'000'000),
      Number("sponsor-creations-per-second",
             "Mailboxes, blobs and draws of vouchers a second of one sponsor; 0: any number "
             "(default: 100)",
             &Limits::sponsor_creations_per_second, 0, 1'000'000),
      Size("max-unread", "Memory for answers that clients leave unread (default: 512MiB)",
           &Limits::max_unread_bytes, uint64_t{16} << 20),
      Size("max-queued", "Memory for writes that wait for the disk (default: 64MiB)",
           &Limits::max_queued_bytes, uint64_t{8} << 20),
      Number("session-seconds", "How long a session's token is good (default: 900)",
             &Limits::token_seconds, 60, kDay),
      Number("max-voucher-days", "How long a voucher may be good (default: 366)",
             &Limits::max_voucher_seconds, 1, 366, kDay),
      Number("mailbox-entries",
             "Entries a mailbox takes between two closings, unless it is made "
             "with another allowance (default: 65536)",
             &Limits::default_allowed_entries, 16, kMany),
      Size("mailbox-bytes", "Bytes it takes between two closings, unless so made (default: 1GiB)",
           &Limits::default_allowed_bytes, uint64_t{1} << 20),
      Number("sponsor-objects",
             "Mailboxes and blobs of a sponsor added while it runs, without --objects "
             "(default: 1000000)",
             &Limits::default_quota_objects, 1, kMany),
  };
}

// "x" where `name` is a slip of a setting's name: in the other case, or with _ for -.
std::string DidYouMean(std::string name) {
  for (char& c : name) {
    if (c == '_') c = '-';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return FindSetting(name) == nullptr ? "" : ": write \"" + name + "\"";
}

void Apply(const GivenSetting& given, bool is_flag, GatheredSettings& gathered) {
  const Setting* setting = FindSetting(given.name);
  if (setting == nullptr) {
    gathered.problems.push_back(given.where + ": there is no setting \"" + given.name + "\"" +
                                DidYouMean(given.name));
    return;
  }
  std::string value = given.value;
  if (setting->kind == Setting::Kind::kPath && !value.empty() && !given.folder.empty() &&
      std::filesystem::path(value).is_relative()) {
    value = (std::filesystem::path(given.folder) / value).string();
  }
  const absl::Status status = setting->set(value, gathered.settings);
  if (!status.ok()) {
    gathered.problems.push_back(given.where + ": " + (is_flag ? "" : given.name + ": ") +
                                std::string(status.message()));
  }
  gathered.sources[given.name] = given.where;
}

}  // namespace

const std::vector<Setting>& AllSettings() {
  static const auto* const kAll = [] {
    auto* all = new std::vector<Setting>(MainSettings());
    for (std::vector<Setting> more : {MetricsSettings(), ServiceSettings(), LimitSettings()}) {
      std::move(more.begin(), more.end(), std::back_inserter(*all));
    }
    return all;
  }();
  return *kAll;
}

const Setting* FindSetting(std::string_view name) {
  for (const Setting& setting : AllSettings()) {
    if (setting.name == name) return &setting;
  }
  return nullptr;
}

GatheredSettings GatherSettings(const std::vector<GivenSetting>& file,
                                const std::vector<GivenSetting>& flags) {
  GatheredSettings gathered;
  for (const GivenSetting& given : file) {
    const auto earlier = gathered.sources.find(given.name);
    if (earlier != gathered.sources.end()) {
      gathered.problems.push_back(given.where + ": " + given.name + " is given already in " +
                                  earlier->second + ": leave one out");
      continue;
    }
    Apply(given, false, gathered);
  }
  for (const GivenSetting& given : flags) Apply(given, true, gathered);
  Settings& settings = gathered.settings;
  if (settings.cert.empty() != settings.key.empty()) {
    const std::string there = settings.cert.empty() ? "key" : "cert";
    gathered.problems.push_back(gathered.sources[there] + ": " + there + " goes with " +
                                (settings.cert.empty() ? "cert" : "key") + ": give both");
  }
  CheckMetrics(gathered);
  settings.limits.max_connections_per_address = std::min<size_t>(
      settings.limits.max_connections_per_address, settings.limits.max_connections);
  BoundUnproven(gathered);
  return gathered;
}

std::vector<std::string> ChangeSettings(const Settings& settings, const Settings& started,
                                        const Limits& running) {
  std::vector<std::string> others;
  for (const Setting& setting : AllSettings()) {
    if (setting.change) {
      setting.change(settings, running);
    } else if (setting.name != "cert" && setting.name != "key" &&
               setting.get(settings) != setting.get(started)) {
      others.emplace_back(setting.name);
    }
  }
  return others;
}

std::string DescribeSettings(const GatheredSettings& gathered) {
  std::string text;
  for (const Setting& setting : AllSettings()) {
    const std::string value = setting.get(gathered.settings);
    std::string line(setting.name);
    line += " = ";
    line += setting.kind == Setting::Kind::kNumber || setting.kind == Setting::Kind::kYesNo
                ? value
                : QuotedValue(value);
    if (value.empty()) line.insert(0, "# ");  // it isn't given, and has no default
    constexpr size_t kComment = 44;
    if (line.size() < kComment) line.append(kComment - line.size(), ' ');
    const auto source = gathered.sources.find(setting.name);
    text += line + "  # " + (source == gathered.sources.end() ? "default" : source->second) + "\n";
  }
  return text;
}

}  // namespace parley::server
