/* Operations of which the manual leaves something undefined, or that Intel and AMD do differently. */
{OP_ud, 0, 0, "nothing yet"},
