/* "Did you mean ...?": the nearest word of a list. */
#pragma once
#include <stddef.h>

/* Edit distance with transpositions (Damerau, restricted), at most `limit` + 1. */
unsigned suggest_distance(const char *a, const char *b, unsigned limit);
/* words[i] through get(ctx, i), NULL ends.  NULL when nothing is near enough to be meant. */
const char *suggest_nearest(const char *word, const char *(*get)(void *ctx, unsigned i), void *ctx);
/* The same over a NULL-ended array. */
const char *suggest_in(const char *word, const char *const *words);
