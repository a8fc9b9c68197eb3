/* Any bytes, any mode, any feature set: the decoder neither reads past its input nor gives an
 * instruction that the rest of the room could trip over. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpuid.h"
#include "cpu/decode.h"
#include "cpu/state.h"

static void require(int ok)
{
    if (!ok) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    const struct cpu_model *model = cpuid_models(data[1] % 8);
    const struct cpu_features *feat = model != NULL ? &model->feat : NULL;
    enum decode_mode mode = (enum decode_mode)(data[0] % 3);
    size_t len = size - 2 > 20 ? 20 : size - 2;
    uint8_t *exact = malloc(len + (len == 0)); /* so that ASan sees the first byte too far */
    struct insn in;
    memcpy(exact, data + 2, len);
    enum decode_result r = decode(exact, len, mode, feat, &in);
    if (r == DECODE_MORE) {
        require(len < INSN_MAX_LEN);
    } else if (r == DECODE_TOO_LONG) {
        require(len >= INSN_MAX_LEN);
    } else {
        require(in.len >= 1 && in.len <= INSN_MAX_LEN && in.len <= len);
        require(in.op < OP_COUNT && in.seg < SEG_COUNT && in.scale < 4 && in.cc < 16);
        require(in.base < 16 || in.base == INSN_RIP || in.base == INSN_NOREG);
        require(in.index < 16 || in.index == INSN_NOREG);
        for (unsigned i = 0; i < 4; i++) {
            require(in.o[i].reg < 16 && in.o[i].size <= 32);
            /* LOCK MOV CR0 is AMD's way to CR8 */
            require(mode == DECODE_64 || in.o[i].reg < 8 || in.o[i].kind == OPND_CR);
            require(in.o[i].kind != OPND_SEG || in.o[i].reg < SEG_COUNT);
            require(
                (in.o[i].kind != OPND_ST && in.o[i].kind != OPND_MMX && in.o[i].kind != OPND_DR) ||
                in.o[i].reg < 8);
        }
    }
    free(exact);
    return 0;
}
