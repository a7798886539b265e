/* Puts headers into a new Packages.db with rpm's own functions. Standard input has records of a
 * number, a length and as many bytes; a length of nought takes the package away. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include "lib/backend/ndb/rpmpkg.h"

int main(int count, char **arguments)
{
    rpmpkgdb database;
    unsigned int head[2];
    if (count != 2 || rpmpkgOpen(&database, arguments[1], O_RDWR | O_CREAT, 0644))
        return 1;
    rpmpkgSetFsync(database, 0);
    while (fread(head, sizeof head, 1, stdin) == 1) {
        unsigned char *bytes = malloc(head[1] + 1);
        if (head[1] && fread(bytes, head[1], 1, stdin) != 1)
            return 2;
        if (head[1] ? rpmpkgPut(database, head[0], bytes, head[1]) : rpmpkgDel(database, head[0]))
            return 3;
        free(bytes);
    }
    if (rpmpkgVerify(database))
        return 4;
    rpmpkgClose(database);
    return 0;
}
