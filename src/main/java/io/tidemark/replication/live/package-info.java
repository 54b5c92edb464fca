/**
 * Live replication: every write to two hosts and more. Pure: time, ids and disks are parameters. What DRBD has a word
 * for is called by it, as its users' guide 9 does.
 */
@NullMarked
package io.tidemark.replication.live;

import org.jspecify.annotations.NullMarked;
