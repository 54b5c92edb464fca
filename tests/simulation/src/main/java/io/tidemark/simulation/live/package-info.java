/**
 * The world of live replication: two hosts with a copy each, their disks, the network between them, whoever gives out
 * leases, and people. All of a run follows from its seed.
 */
@NullMarked
package io.tidemark.simulation.live;

import org.jspecify.annotations.NullMarked;
