/* The program: command line to machine to exit status. */
#pragma once

int app_main(int argc, char **argv);
