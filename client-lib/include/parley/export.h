// What libparley.so shows: everything else in it is hidden.
#ifndef PARLEY_EXPORT_H_
#define PARLEY_EXPORT_H_

#if defined(__GNUC__) || defined(__clang__)
#define PARLEY_EXPORT __attribute__((visibility("default")))
#else
#define PARLEY_EXPORT
#endif

#endif  // PARLEY_EXPORT_H_
