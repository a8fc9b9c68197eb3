/* "Did you mean ...?": the nearest word of a list, by edit distance with transpositions
 * (Damerau 1964, the restricted form that never edits a letter twice). */
#include "frontend/suggest.h"

#include <string.h>

enum { WORD_MAX_LEN = 64 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

unsigned suggest_distance(const char *a, const char *b, unsigned limit)
{
    size_t la = strlen(a), lb = strlen(b);
    if (la > WORD_MAX_LEN || lb > WORD_MAX_LEN) {
        return limit + 1;
    }
    unsigned rows[3][WORD_MAX_LEN + 1];
    unsigned *before = rows[0], *prev = rows[1], *cur = rows[2];
    for (size_t j = 0; j <= lb; j++) {
        prev[j] = (unsigned)j;
        before[j] = (unsigned)j;
    }
    for (size_t i = 1; i <= la; i++) {
        cur[0] = (unsigned)i;
        for (size_t j = 1; j <= lb; j++) {
            unsigned sub = prev[j - 1] + (a[i - 1] != b[j - 1]);
            cur[j] = min3(prev[j] + 1, cur[j - 1] + 1, sub);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < cur[j]) {
                cur[j] = before[j - 2] + 1;
            }
        }
        unsigned *t = before;
        before = prev;
        prev = cur;
        cur = t;
    }
    return prev[lb] > limit ? limit + 1 : prev[lb];
}

const char *suggest_nearest(const char *word, const char *(*get)(void *ctx, unsigned i), void *ctx)
{
    size_t len = strlen(word);
    unsigned best = len <= 3 ? 1 : len <= 6 ? 2 : 3;
    const char *found = NULL;
    for (unsigned i = 0; get(ctx, i); i++) {
        const char *cand = get(ctx, i);
        unsigned d = suggest_distance(word, cand, best);
        if (d < best || (d == best && !found)) {
            best = d;
            found = cand;
        } else if (!found && len >= 4 && strncmp(cand, word, len) == 0) {
            found = cand; /* a beginning of one of ours */
        }
    }
    return found;
}

static const char *suggest_array(void *ctx, unsigned i)
{
    return ((const char *const *)ctx)[i];
}

const char *suggest_in(const char *word, const char *const *words)
{
    return suggest_nearest(word, suggest_array, (void *)words);
}
