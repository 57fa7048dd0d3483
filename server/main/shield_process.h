// For the commands that have the relay's keys in memory.
//
// Threading: at the process's start.
#ifndef PARLEY_SERVER_MAIN_SHIELD_PROCESS_H_
#define PARLEY_SERVER_MAIN_SHIELD_PROCESS_H_

namespace parley::server {

// What is in memory stays there: no core dumps, no reading by processes of the same user, and files
// for the owner alone.
void ShieldProcess();

}  // namespace parley::server

#endif  // PARLEY_SERVER_MAIN_SHIELD_PROCESS_H_
