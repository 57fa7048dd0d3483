// Profile's calls about meetings, reminders, receipts and what waits, converted as in profile.cc.
#include "client-lib/api/profile_impl.h"
#include "client-lib/api/status_conversion.h"
#include "parley/profile.h"

namespace parley {

using client::Guarded;

Result<std::vector<CalendarEntry>> Profile::Calendar(const CaseId& id) const {
  return Guarded([&] { return impl_->Calendar(id); });
}

Result<CalendarEntry> Profile::FindInCalendar(const CaseId& id, CalendarKind kind,
                                              std::string_view text) const {
  return Guarded([&] { return impl_->FindInCalendar(id, kind, text); });
}

Result<CalendarEntry> Profile::AddToCalendar(const ChannelRef& channel, CalendarKind kind,
                                             const CalendarRequest& request) {
  return Guarded([&] { return impl_->AddToCalendar(channel, kind, request); });
}

Result<CalendarEntry> Profile::ChangeInCalendar(const CalendarEntry& entry,
                                                const CalendarChange& change) {
  return Guarded([&] { return impl_->ChangeInCalendar(entry, change); });
}

Result<CalendarEntry> Profile::CancelInCalendar(const CalendarEntry& entry) {
  return Guarded([&] { return impl_->CancelInCalendar(entry); });
}

Result<CalendarEntry> Profile::AnswerInCalendar(const CalendarEntry& entry, CalendarReply reply) {
  return Guarded([&] { return impl_->AnswerInCalendar(entry, reply); });
}

Result<std::string> Profile::MeetingFile(const CalendarEntry& meeting, bool with_details) const {
  return Guarded([&] { return impl_->MeetingFile(meeting, with_details); });
}

Status Profile::NoteRead(const ChannelRef& channel, uint64_t position, uint64_t from) {
  return Guarded([&] { return impl_->NoteRead(channel, position, from); });
}

Result<std::vector<ReadReceipt>> Profile::Receipts(const ChannelRef& channel) const {
  return Guarded([&] { return impl_->Receipts(channel); });
}

Result<bool> Profile::SendsReceipts() const {
  return Guarded([&] { return impl_->SendsReceipts(); });
}

Status Profile::SetSendsReceipts(bool sends) {
  return Guarded([&] { return impl_->SetSendsReceipts(sends); });
}

Result<std::vector<TodoItem>> Profile::Todo(const CaseId& id) const {
  return Guarded([&] { return impl_->Todo(id); });
}

}  // namespace parley
