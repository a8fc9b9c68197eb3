/* Escape opcodes D8..DF, SDM Vol. 2D, tables.  Operand conventions: head of opmap.h.
 *
 * The encodings the manual leaves out but every processor since the 387 executes are here too:
 * FSTP1 (D9 D8), FCOM2 (DC D0), FCOMP3 (DC D8), FXCH4 (DD C8), FCOMP5 (DE D0), FFREEP (DF C0),
 * FXCH7 (DF C8), FSTP8 (DF D0), FSTP9 (DF D8); see AMD64 APM Vol. 5 and Intel's 8087 notes. */
#include "cpu/opmap.h"
#include "cpu/state.h"

#define X0(name, ...) ROW0(name, .flags = F_X87, __VA_ARGS__)
#define X1(name, a, ...) ROW1(name, a, .flags = F_X87, __VA_ARGS__)
#define X2(name, a, b, ...) ROW2(name, a, b, .flags = F_X87, __VA_ARGS__)
#define ARITH(p, m)                                                                                \
    BY_REG(X2(f##p##add, ST0, m), X2(f##p##mul, ST0, m), X2(f##p##com, ST0, m),                    \
           X2(f##p##comp, ST0, m), X2(f##p##sub, ST0, m), X2(f##p##subr, ST0, m),                  \
           X2(f##p##div, ST0, m), X2(f##p##divr, ST0, m))
#define CMOVX(name) X2(name, ST0, STi, .feat = FEAT_CMOV)

const struct op_row opmap_x87[8][2] = {
    /* D8 */
    {BY_REG(X2(fadd, ST0, Md), X2(fmul, ST0, Md), X2(fcom, ST0, Md), X2(fcomp, ST0, Md),
            X2(fsub, ST0, Md), X2(fsubr, ST0, Md), X2(fdiv, ST0, Md), X2(fdivr, ST0, Md)),
     BY_REG(X2(fadd, ST0, STi), X2(fmul, ST0, STi), X2(fcom, ST0, STi), X2(fcomp, ST0, STi),
            X2(fsub, ST0, STi), X2(fsubr, ST0, STi), X2(fdiv, ST0, STi), X2(fdivr, ST0, STi))},
    /* D9 */
    {BY_REG(X1(fld, Md), EMPTY, X1(fst, Md), X1(fstp, Md), X1(fldenv, M), X1(fldcw, Mw),
            X1(fnstenv, M), X1(fnstcw, Mw)),
     BY_REG(X1(fld, STi), X1(fxch, STi), BY_RM(X0(fnop)), X1(fstp, STi),
            BY_RM(X0(fchs), X0(fabs), EMPTY, EMPTY, X0(ftst), X0(fxam)),
            BY_RM(X0(fld1), X0(fldl2t), X0(fldl2e), X0(fldpi), X0(fldlg2), X0(fldln2), X0(fldz)),
            BY_RM(X0(f2xm1), X0(fyl2x), X0(fptan), X0(fpatan), X0(fxtract), X0(fprem1),
                  X0(fdecstp), X0(fincstp)),
            BY_RM(X0(fprem), X0(fyl2xp1), X0(fsqrt), X0(fsincos), X0(frndint), X0(fscale),
                  X0(fsin), X0(fcos)))},
    /* DA */
    {ARITH(i, Md),
     BY_REG(CMOVX(fcmovb), CMOVX(fcmove), CMOVX(fcmovbe), CMOVX(fcmovu), EMPTY,
            BY_RM(EMPTY, X2(fucompp, ST0, ST1)))},
    /* DB */
    {BY_REG(X1(fild, Md), X1(fisttp, Md, .feat = FEAT_SSE3), X1(fist, Md), X1(fistp, Md), EMPTY,
            X1(fld, Mt), EMPTY, X1(fstp, Mt)),
     BY_REG(CMOVX(fcmovnb), CMOVX(fcmovne), CMOVX(fcmovnbe), CMOVX(fcmovnu),
            BY_RM(X0(feni), X0(fdisi), X0(fnclex), X0(fninit), X0(fsetpm)), CMOVX(fucomi),
            CMOVX(fcomi))},
    /* DC: the register forms of SUB, SUBR, DIV, DIVR are swapped against D8 */
    {BY_REG(X2(fadd, ST0, Mq), X2(fmul, ST0, Mq), X2(fcom, ST0, Mq), X2(fcomp, ST0, Mq),
            X2(fsub, ST0, Mq), X2(fsubr, ST0, Mq), X2(fdiv, ST0, Mq), X2(fdivr, ST0, Mq)),
     BY_REG(X2(fadd, STi, ST0), X2(fmul, STi, ST0), X2(fcom, ST0, STi), X2(fcomp, ST0, STi),
            X2(fsubr, STi, ST0), X2(fsub, STi, ST0), X2(fdivr, STi, ST0), X2(fdiv, STi, ST0))},
    /* DD */
    {BY_REG(X1(fld, Mq), X1(fisttp, Mq, .feat = FEAT_SSE3), X1(fst, Mq), X1(fstp, Mq),
            X1(frstor, M), EMPTY, X1(fnsave, M), X1(fnstsw, Mw)),
     BY_REG(X1(ffree, STi), X1(fxch, STi), X1(fst, STi), X1(fstp, STi), X2(fucom, ST0, STi),
            X2(fucomp, ST0, STi))},
    /* DE */
    {ARITH(i, Mw),
     BY_REG(X2(faddp, STi, ST0), X2(fmulp, STi, ST0), X2(fcomp, ST0, STi),
            BY_RM(EMPTY, X2(fcompp, ST0, ST1)), X2(fsubrp, STi, ST0), X2(fsubp, STi, ST0),
            X2(fdivrp, STi, ST0), X2(fdivp, STi, ST0))},
    /* DF */
    {BY_REG(X1(fild, Mw), X1(fisttp, Mw, .feat = FEAT_SSE3), X1(fist, Mw), X1(fistp, Mw),
            X1(fbld, Mt), X1(fild, Mq), X1(fbstp, Mt), X1(fistp, Mq)),
     BY_REG(X1(ffreep, STi), X1(fxch, STi), X1(fstp, STi), X1(fstp, STi), BY_RM(X1(fnstsw, AX)),
            CMOVX(fucomip), CMOVX(fcomip))},
};
