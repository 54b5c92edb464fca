/** Runs the pure replication machines in a seeded world that loses, tears, cuts and crashes. */
@NullMarked
package io.tidemark.simulation;

import org.jspecify.annotations.NullMarked;
