/* Which files a guest may read by TFTP. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tftp_verdict { TFTP_PASS, TFTP_REFUSE, TFTP_DROP };
/* What becomes of a frame of the guest: TFTP_REFUSE: answer "access violation". */
enum tftp_verdict tftp_guard(const char *root, const uint8_t *frame, size_t len);
/* Rewrite the request in `frame` so that libslirp refuses it in its own words. */
void tftp_guard_spoil(uint8_t *frame, size_t len);
bool tftp_guard_name(const char *root, const char *name);
