/* The one place that says which Vitrine this is. */
#pragma once
#define VITRINE_VERSION "0.1.0"
