/* Code page 437 as Unicode: what a PC's text screen shows for each byte. */
#pragma once
#include <stdint.h>

extern const uint16_t cp437_unicode[256];
