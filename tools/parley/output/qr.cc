#include "tools/parley/output/qr.h"

#include <qrencode.h>

#include <memory>

namespace parley::cli {
namespace {

constexpr int kMargin = 2;

class Modules {
 public:
  explicit Modules(const QRcode& code) : code_(code) {}

  int width() const { return code_.width; }
  bool IsDark(int x, int y) const {
    if (x < 0 || y < 0 || x >= code_.width || y >= code_.width) return false;
    return (code_.data[y * code_.width + x] & 1) != 0;
  }

 private:
  const QRcode& code_;
};

// Two rows of modules make one line of text. Black on white, whatever the terminal's colours.
std::string Line(const Modules& modules, int y) {
  std::string out = "\033[30;107m";
  for (int x = -kMargin; x < modules.width() + kMargin; ++x) {
    const bool upper = modules.IsDark(x, y);
    const bool lower = modules.IsDark(x, y + 1);
    out += upper ? (lower ? "█" : "▀") : (lower ? "▄" : " ");
  }
  return out + "\033[0m\n";
}

}  // namespace

Result<std::string> QrCode(const std::string& text) {
  const std::unique_ptr<QRcode, void (*)(QRcode*)> code(
      QRcode_encodeString8bit(text.c_str(), 0, QR_ECLEVEL_L), QRcode_free);
  if (code == nullptr) {
    return Status(StatusCode::kInvalidArgument, "the invitation is too long for a QR code");
  }
  const Modules modules(*code);
  std::string out;
  for (int y = -kMargin; y < modules.width() + kMargin; y += 2) out += Line(modules, y);
  return out;
}

}  // namespace parley::cli
