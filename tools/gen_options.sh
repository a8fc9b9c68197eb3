#!/bin/sh
# docs/options.md from the table of options that the program itself uses: gen_options.sh [VITRINE]
cd "$(dirname "$0")/.." || exit 1
exec "${1:-build/release/vitrine}" -help=md
