/* Vitrine: everything is in app.c, so that tests can link it. */
#include "frontend/app.h"

int main(int argc, char **argv)
{
    return app_main(argc, argv);
}
