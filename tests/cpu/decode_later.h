/* Classes of instructions that capstone 4 decodes and we do not have. */
{"ud0 ud1 ud2 ud2b", "undefined by definition", false},
    {"vmread vmwrite vmptrld vmptrst vmclear vmxon vmcall vmlaunch vmresume vmxoff vmfunc invept "
     "invvpid",
     "VMX", false},
    {"vmrun vmmcall vmload vmsave stgi clgi skinit invlpga", "SVM", false},
    {"xbegin xabort xend xtest", "TSX", false},
    {"encls enclu getsec", "SGX, SMX", false},
    {"rdpkru wrpkru monitorx mwaitx clzero pcommit xsaves xsaves64 xrstors xrstors64",
     "later or AMD's own system instructions", false},
    {"extrq insertq movntss movntsd", "SSE4a: AMD only", false},
    {"femms pi2fd pi2fw pf2id pf2iw pf* pavgusb pmulhrw pswapd", "3DNow!: AMD only", false},
    {"xstore xcrypt* montmul xsha*", "VIA PadLock", false},
    {"k*", "AVX512 mask registers", false},
    {"vfmaddps vfmaddpd vfmaddss vfmaddsd vfmsubps vfmsubpd vfmsubss vfmsubsd vfnmaddps vfnmaddpd "
     "vfnmaddss vfnmaddsd vfnmsubps vfnmsubpd vfnmsubss vfnmsubsd vfmaddsubps vfmaddsubpd "
     "vfmsubaddps vfmsubaddpd vpermil2ps vpermil2pd",
     "FMA4, XOP: AMD only", false},
