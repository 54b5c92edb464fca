/**
 * What system tests stand on: loop devices, file systems, servers and writers on this host. Everything that is made is
 * undone by closing it, and by a watchdog outside this process should it die first.
 */
@NullMarked
package io.tidemark.system.ground;

import org.jspecify.annotations.NullMarked;
