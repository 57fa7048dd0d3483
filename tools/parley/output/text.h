// Text for a person's terminal: what others wrote is made harmless, people are named with their
// roles, times and sizes are readable.
#ifndef PARLEY_TOOLS_PARLEY_OUTPUT_TEXT_H_
#define PARLEY_TOOLS_PARLEY_OUTPUT_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parley/types.h"

namespace parley::cli {

// ---- Characters ----------------------------------------------------------------------------

// Takes the first character off `text`, which must not be empty: its code point, or U+FFFD (for one
// byte) where the bytes are no UTF-8.
uint32_t TakeCharacter(std::string_view& text);

void AppendUtf8(uint32_t character, std::string& out);

// Whether a character may go to a terminal as it is. Control characters are not (they move the
// cursor, and can rewrite what stands on the screen), nor are those that are invisible or change
// the direction of writing (they make a text look like another).
bool IsHarmless(uint32_t character);

// The text on one line; each character that is not harmless as "<U+202E>".
std::string Harmless(std::string_view text);

// The text's lines, made harmless, each led by `indent`; a tab becomes spaces. Nothing that
// somebody wrote can stand at the beginning of a line, where the program itself writes.
std::string HarmlessLines(std::string_view text, std::string_view indent);

// Columns that a harmless text takes on a terminal.
size_t Columns(std::string_view text);

// The text filled with spaces up to so many columns, and two more.
std::string Padded(std::string_view text, size_t columns);

// ---- People --------------------------------------------------------------------------------

// "Ana Ruiz (party, Harbor)"; with "*" after the name of whose safety number was not compared.
std::string PersonText(const Person& person);

// "Mira Voss (mediator), Ana Ruiz* (party, Harbor) and you (counsel, Harbor)", the owner last.
std::string PeopleText(const std::vector<Person>& people);

// Whether a text of these people has a "*", which wants kNotComparedNote below it.
bool AnyNotCompared(const std::vector<Person>& people);
extern const char kNotComparedNote[];

// "mediator", "party, Harbor".
std::string RoleText(Role role, std::string_view side);

// ---- Times and sizes -----------------------------------------------------------------------

// "2026-03-14 15:09" in the machine's time zone.
std::string LocalTime(int64_t time);
// "2026-03-14T15:09:26Z".
std::string IsoTime(int64_t time);
// "0 bytes", "1 byte", "35 KB", "25.0 MB" (of 1,000).
std::string SizeText(uint64_t bytes);

}  // namespace parley::cli

#endif  // PARLEY_TOOLS_PARLEY_OUTPUT_TEXT_H_
