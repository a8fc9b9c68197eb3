{ALL, PANY, 0xff, 0, 0, 0, 0, "none yet"},
