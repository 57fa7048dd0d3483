// A channel in which people make offers, and how one device reads it. Only tests include it.
#ifndef PARLEY_CLIENT_LIB_PROCEDURE_OFFER_BOOK_FOR_TEST_H_
#define PARLEY_CLIENT_LIB_PROCEDURE_OFFER_BOOK_FOR_TEST_H_

#include <optional>
#include <string>
#include <vector>

#include "client-lib/content/parse.h"
#include "client-lib/procedure/offer_book.h"
#include "client-lib/procedure/procedure_for_test.h"

namespace parley::client::testing {

inline const Actor kNora = Person(8, "Nora", Role::kParty, "Northline");
inline const CaseId kCase{crypto::ByteArray<16>{9}};

// One device's reading of a channel: contents in, refusals out.
class Reader {
 public:
  explicit Reader(ChannelKind kind = ChannelKind::kJoint, const std::string& side = {})
      : book_(kind, side) {}

  struct Said {
    Actor author;
    content::v1::Content content;
    std::optional<Actor> carried_by;
  };

  std::string Take(const Said& said, JointPosition at, bool unread = false) {
    OfferEvent event;
    event.author = said.author;
    event.carried_by = said.carried_by;
    event.at = at;
    event.number = at.position;
    event.unread = unread;
    std::optional<ReadOffer> read;
    if (said.carried_by.has_value()) {
      read = ReadOfferOf(kCase, said.author.id, *CarriedOf(said.author, said.content));
    } else {
      read = ReadOfferOf(kCase, said.author.id, said.content);
    }
    event.read = std::move(*read);
    return book_.Apply(event);
  }
  const OfferBook& book() const { return book_; }

  // All that can be seen, in words.
  std::string Picture() const {
    std::string out;
    for (const OfferBook::Thread& thread : book_.threads()) {
      out += crypto::ToHex(thread.id).substr(0, 8) + " " + thread.side + "\n";
      for (const OfferBook::Version& version : thread.versions) {
        out += "  " + std::to_string(version.made.read.terms.version()) + " " +
               NameOf(version.state) + " " + version.closed_by;
        for (const OfferBook::Answer& answer : version.answers) {
          out += " " + answer.by.name + (answer.accepted ? "+" : "-") +
                 std::to_string(answer.alternative);
        }
        out += "\n";
      }
      for (const VersionHash& counter : thread.counters) {
        out += "  < " + crypto::ToHex(counter).substr(0, 8) + "\n";
      }
    }
    return out;
  }

 private:
  OfferBook book_;
};

// A channel in which people say things; `last` is why the latest was passed over.
class Table {
 public:
  explicit Table(ChannelKind kind = ChannelKind::kJoint, const std::string& side = {})
      : reader_(kind, side) {}

  std::string last;
  const OfferBook& book() const { return reader_.book(); }
  const std::vector<Reader::Said>& log() const { return log_; }

  VersionHash Say(const Actor& author, content::v1::Content content,
                  const std::optional<Actor>& carried_by = {}) {
    crypto::ByteArray<16> id{};
    id[0] = static_cast<uint8_t>(++said_);
    id[1] = static_cast<uint8_t>(said_ >> 8);
    if (content.message_id().empty()) content.set_message_id(crypto::ToString(id));
    const ReadOffer read = *ReadOfferOf(kCase, author.id, content);
    const JointPosition place = book().PlaceOfSubject(read);
    if (place.position != 0 && !wrong_place) SetPlace(place, content);
    log_.push_back({author, content, carried_by});
    last = reader_.Take(log_.back(), {1, log_.size()});
    return read.hash;
  }

  static content::v1::OfferTerms Terms(const std::vector<Actor>& to, const std::string& text) {
    content::v1::OfferTerms terms;
    terms.set_text(text);
    terms.set_version(1);
    for (const Actor& person : to) {
      auto& party = *terms.add_parties();
      party.set_participant_id(ToField(person.id));
      party.set_name(person.name);
      party.set_side(person.side);
    }
    return terms;
  }
  VersionHash Offer(const Actor& author, const content::v1::OfferTerms& terms) {
    content::v1::Content content;
    content.mutable_offer()->set_terms(terms.SerializeAsString());
    return Say(author, content);
  }
  VersionHash Offer(const Actor& author, const std::vector<Actor>& to) {
    return Offer(author, Terms(to, "950 thousand"));
  }
  VersionHash Replace(const Actor& author, const VersionHash& first, uint32_t version,
                      const std::vector<Actor>& to) {
    content::v1::OfferTerms terms = Terms(to, "900 thousand");
    terms.set_first_version(crypto::ToString(first));
    terms.set_version(version);
    return Offer(author, terms);
  }
  VersionHash Counter(const Actor& author, const VersionHash& answered,
                      const std::vector<Actor>& to) {
    content::v1::OfferTerms terms = Terms(to, "600 thousand");
    terms.set_answers(crypto::ToString(answered));
    return Offer(author, terms);
  }
  static content::v1::Content AnswerTo(const VersionHash& version, bool accept,
                                       uint32_t alternative = 0) {
    content::v1::Content content;
    content.mutable_offer_answer()->set_version_hash(crypto::ToString(version));
    content.mutable_offer_answer()->set_answer(accept ? content::v1::OfferAnswer::ANSWER_ACCEPT
                                                      : content::v1::OfferAnswer::ANSWER_DECLINE);
    content.mutable_offer_answer()->set_alternative(alternative);
    return content;
  }
  void Accept(const Actor& author, const VersionHash& version, uint32_t alternative = 0) {
    Say(author, AnswerTo(version, true, alternative));
  }
  void Decline(const Actor& author, const VersionHash& version) {
    Say(author, AnswerTo(version, false));
  }
  void End(const Actor& author, const VersionHash& version, bool expired = false) {
    content::v1::Content content;
    content.mutable_offer_end()->set_version_hash(crypto::ToString(version));
    content.mutable_offer_end()->set_reason(expired ? content::v1::OfferEnd::REASON_EXPIRED
                                                    : content::v1::OfferEnd::REASON_WITHDRAWN);
    Say(author, content);
  }
  OfferState StateOf(const VersionHash& version) const { return book().Find(version)->state; }

  bool wrong_place = false;

 private:
  Reader reader_;
  std::vector<Reader::Said> log_;
  uint32_t said_ = 0;
};

}  // namespace parley::client::testing

#endif  // PARLEY_CLIENT_LIB_PROCEDURE_OFFER_BOOK_FOR_TEST_H_
